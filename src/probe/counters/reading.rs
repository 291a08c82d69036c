//! From one text to the values that are watched. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Counters;
use super::exposition::{self, Exposition, ExpositionError, Kind, Series};
use crate::probe::thresholds::GaugeRules;

/// What a program told of itself at one moment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Reading {
    /// Since its life began.
    pub at: Duration,
    /// The gauges that are watched, each the sum of its series.
    pub gauges: BTreeMap<Arc<str>, f64>,
    /// The work that was done, by the counter that tells it, resets made good.
    pub work: Option<f64>,
    /// Names that were asked for as gauges and are counters.
    pub counters: BTreeSet<Arc<str>>,
    /// The program began anew since the last reading: a process of its own did, or
    /// its counters fell.
    pub anew: bool,
}

/// The name of the gauge with the start of the process, in all libraries.
const STARTED: &str = "process_start_time_seconds";

/// What has to be known of the last text to read the next one.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(super) struct Before {
    started: Option<f64>,
    count: Option<f64>,
    work: f64,
}

impl Before {
    /// Reads the next text of a program, or says why it tells nothing.
    pub(super) fn next(
        &mut self,
        at: Duration,
        text: &str,
        counters: &Counters,
        rules: &GaugeRules,
    ) -> Result<Reading, ExpositionError> {
        let text = exposition::read(text)?;
        Ok(self.read(at, &text, counters, rules))
    }

    /// Reads the values that are watched.
    fn read(
        &mut self,
        at: Duration,
        text: &Exposition<'_>,
        counters: &Counters,
        rules: &GaugeRules,
    ) -> Reading {
        let mut reading = Reading {
            at,
            ..Reading::default()
        };
        let once = once(&text.series);
        if counters.watch.is_empty() {
            for series in once.iter().filter(|series| {
                text.kind(series.name) == Kind::Gauge && rules.tells_of_something_held(series.name)
            }) {
                let known = reading.gauges.contains_key(series.name);
                if known || reading.gauges.len() < rules.most {
                    *reading.gauges.entry(series.name.into()).or_default() += series.value;
                }
            }
        }
        for selector in &counters.watch {
            let name: Arc<str> = selector.to_string().into();
            match text.kind(&selector.name) {
                Kind::Counter | Kind::Other => {
                    reading.counters.insert(name);
                }
                Kind::Gauge | Kind::Untyped => {
                    if let Some(sum) = sum(once.iter().filter(|series| selector.takes(series))) {
                        reading.gauges.insert(name, sum);
                    }
                }
            }
        }
        let started = sum(once.iter().filter(|series| series.name == STARTED));
        reading.anew = matches!((self.started, started), (Some(old), Some(new)) if old < new);
        self.started = started.or(self.started);
        let per = counters.per.as_ref();
        let count = per.and_then(|per| sum(once.iter().filter(|series| per.takes(series))));
        if let Some(count) = count {
            let last = self.count.unwrap_or(count);
            reading.anew |= count < last;
            // After a reset it counts from zero. What is out of all bounds counts nothing.
            let more = if count < last { count } else { count - last };
            let work = self.work + more.max(0.0);
            self.work = if work.is_finite() { work } else { self.work };
            self.count = Some(count);
            reading.work = Some(self.work);
        }
        reading
    }
}

/// The series with a value that is a number, each once: of those that stand there twice
/// the first, as in Prometheus.
fn once<'s, 't>(series: &'s [Series<'t>]) -> Vec<&'s Series<'t>> {
    let mut seen: BTreeSet<(&str, Vec<(&str, &str)>)> = BTreeSet::new();
    series
        .iter()
        .filter(|series| {
            let labels = series.labels.iter();
            let mut labels: Vec<(&str, &str)> = labels.map(|(n, v)| (*n, v.as_ref())).collect();
            labels.sort_unstable();
            seen.insert((series.name, labels)) && series.value.is_finite()
        })
        .collect()
}

/// The sum of values; `None` when there are none or they are out of all bounds.
fn sum<'s, 't: 's>(series: impl Iterator<Item = &'s &'s Series<'t>>) -> Option<f64> {
    let values: Vec<f64> = series.map(|series| series.value).collect();
    let sum: f64 = values.iter().sum();
    (!values.is_empty() && sum.is_finite()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Thresholds;

    fn read(before: &mut Before, text: &str, watch: &[&str], per: Option<&str>) -> Reading {
        let watch: Vec<String> = watch.iter().map(|&name| name.to_owned()).collect();
        let url = "http://127.0.0.1:{port}/metrics";
        let counters = Counters::new(url, &watch, per, (false, false)).unwrap();
        let rules = Thresholds::built_in().unwrap().gauges;
        let read = before.next(Duration::ZERO, text, &counters, &rules);
        read.unwrap()
    }

    #[test]
    fn series_of_a_name_are_added_up_each_once_and_what_is_no_number_is_left_out() {
        let text = "# TYPE n counter\nn 5\n# TYPE g gauge\ng{a=\"1\",b=\"2\"} 3\ng{b=\"2\",a=\"1\"} 100\ng{a=\"2\"} 4\ng{a=\"3\"} NaN\ng{a=\"4\"} +Inf\nbig 1e308\nbig{a=\"\"} 1e308\n";
        let mut before = Before::default();
        let reading = read(
            &mut before,
            text,
            &["g", "g{a=\"2\"}", "n", "no", "big"],
            None,
        );
        let gauges: Vec<(&str, f64)> = reading.gauges.iter().map(|(n, v)| (&**n, *v)).collect();
        assert_eq!(gauges, [("g", 7.0), ("g{a=\"2\"}", 4.0)]);
        assert_eq!(reading.counters.len(), 1);
        assert_eq!(reading.work, None);
    }

    #[test]
    fn without_names_gauges_that_tell_of_something_held_are_watched() {
        let text = "# TYPE db_pool_connections_in_use gauge\ndb_pool_connections_in_use 3\n# TYPE app_heap_bytes gauge\napp_heap_bytes 1\n# TYPE disk_bytes gauge\ndisk_bytes 9\n# TYPE process_open_fds gauge\nprocess_open_fds 9\n# TYPE jobs_depth counter\njobs_depth 9\nuntyped_depth 9\n# TYPE pool_max_connections gauge\npool_max_connections 10\n# TYPE temperature gauge\ntemperature 20\n";
        let reading = read(&mut Before::default(), text, &[], None);
        let names: Vec<&str> = reading.gauges.keys().map(|name| &**name).collect();
        assert_eq!(names, ["app_heap_bytes", "db_pool_connections_in_use"]);
        let many: String = (0..1_000)
            .map(|n| format!("# TYPE q{n}_depth gauge\nq{n}_depth 1\n"))
            .collect();
        assert_eq!(
            read(&mut Before::default(), &many, &[], None).gauges.len(),
            16
        );
    }

    #[test]
    fn work_goes_on_over_a_reset_and_a_new_process_is_seen() {
        let mut before = Before::default();
        let mut next = |text: &str| {
            let reading = read(&mut before, text, &["g"], Some("n"));
            (reading.work, reading.anew)
        };
        assert_eq!(
            next("n 100\nprocess_start_time_seconds 5\n"),
            (Some(0.0), false)
        );
        assert_eq!(
            next("n 130\nprocess_start_time_seconds 5\n"),
            (Some(30.0), false)
        );
        assert_eq!(
            next("n 20\nprocess_start_time_seconds 5\n"),
            (Some(50.0), true)
        );
        assert_eq!(next("n NaN\nprocess_start_time_seconds 9\n"), (None, true));
        assert_eq!(next("n 21\n"), (Some(51.0), false));
        // Work that was done stays done, whatever a counter says.
        assert_eq!(next("n -5\n"), (Some(51.0), true));
        assert_eq!(next("n 0\n"), (Some(56.0), false));
        assert_eq!(next("n 1.7e308\n"), (Some(1.7e308), false));
        assert_eq!(next("n 1.6e308\n"), (Some(1.7e308), true));
    }
}
