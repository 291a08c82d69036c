//! What a program tells of itself, several texts one after the other, and the name of a
//! series: the first line names what is watched and what counts the work.
#![no_main]

use std::time::Duration;

use cargo_canary::probe::Thresholds;
use cargo_canary::probe::counters::{Counters, Selector};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (names, rest) = data.split_once('\n').unwrap_or(("", data));
    if let Ok(selector) = Selector::parse(names) {
        // What is shown of a name names the same.
        assert_eq!(
            Selector::parse(&selector.to_string()).as_ref(),
            Ok(&selector)
        );
    }
    let mut names = names.split('|').map(str::to_owned);
    let per = names.next().filter(|name| !name.is_empty());
    let watch: Vec<String> = names.collect();
    let url = "http://127.0.0.1:{port}/metrics";
    let Ok(counters) = Counters::new(url, &watch, per.as_deref(), (false, false)) else {
        return;
    };
    let texts: Vec<(Duration, &str)> = (0..)
        .zip(rest.split('\u{c}'))
        .map(|(place, text)| (Duration::from_secs(place), text))
        .collect();
    let rules = Thresholds::built_in().unwrap().gauges;
    let mut work = 0.0;
    for reading in counters.read(&texts, &rules) {
        match reading {
            Ok(reading) => {
                assert!(reading.gauges.len() <= 64);
                assert!(reading.gauges.values().all(|value| value.is_finite()));
                // Work that was done stays done.
                let done = reading.work.unwrap_or(work);
                assert!(done.is_finite() && done >= work);
                work = done;
            }
            Err(why) => assert!(why.starts_with("line ") && !why.contains(char::is_control)),
        }
    }
});
