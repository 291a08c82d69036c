//! Amounts, rates and times as people write them.

use crate::probe::Watched;

const SCALE: [(f64, &str); 4] = [
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1024.0, "KiB"),
];

/// Three digits, no more.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 99.5 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// An amount with its unit, such as `12.5 MiB` or `40 descriptors`.
#[must_use]
pub fn amount(watched: &Watched, value: f64) -> String {
    amount_of(watched.unit(), value)
}

/// An amount of anything; `bytes` are scaled, seconds become milliseconds, and a
/// ratio becomes a percentage.
#[must_use]
pub fn amount_of(unit: &str, value: f64) -> String {
    match unit {
        "bytes" => {
            let (factor, unit) = SCALE
                .into_iter()
                .find(|(factor, _)| value.abs() >= *factor)
                .unwrap_or((1.0, "B"));
            format!("{} {unit}", short(value / factor))
        }
        "seconds" if value.abs() < 0.9995 => format!("{} ms", short(value * 1_000.0)),
        "seconds" => format!("{} s", short(value)),
        "ratio" => format!("{} %", short(value * 100.0)),
        "" => short(value),
        unit => format!("{} {unit}", short(value)),
    }
}

/// A rate, such as `154 KiB/s` or `0.5/s`.
#[must_use]
pub fn rate(watched: &Watched, value: f64) -> String {
    rate_of(watched.unit(), value)
}

/// A rate of anything, per second.
#[must_use]
pub fn rate_of(unit: &str, value: f64) -> String {
    if unit == "bytes" {
        format!("{}/s", amount_of(unit, value))
    } else {
        format!("{}/s", short(value))
    }
}

/// How much comes with each unit of work, such as `96.4 B` or `1 in 200`.
#[must_use]
pub fn per_unit(watched: &Watched, value: f64) -> String {
    if watched.unit() == "bytes" || value.abs() >= 0.095 || value.abs() < 1e-9 {
        amount_of(watched.unit(), value)
    } else {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}1 in {:.0}", 1.0 / value.abs())
    }
}

/// A rate of something slow: as [`rate_of`], or per hour or day where hardly one comes
/// in a second.
#[must_use]
pub fn slow_rate_of(unit: &str, value: f64) -> String {
    let (per_hour, per_day) = (value * 3_600.0, value * 86_400.0);
    if unit == "bytes" || value.abs() >= 0.095 {
        rate_of(unit, value)
    } else if per_hour.abs() >= 0.95 {
        format!("{}/h", short(per_hour))
    } else if per_day.abs() >= 0.005 {
        format!("{}/day", short(per_day))
    } else {
        "0/day".to_owned()
    }
}

/// A time in words, such as `40 s`, `12 min`, `3.5 h`, `2 days`.
#[must_use]
pub fn seconds(value: f64) -> String {
    if value < 90.0 {
        format!("{value:.0} s")
    } else if value < 5_400.0 {
        format!("{:.0} min", value / 60.0)
    } else if value < 129_600.0 {
        format!("{} h", short(value / 3_600.0))
    } else {
        format!("{} days", short(value / 86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Resource;

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        assert_eq!(amount(&Resource::Rss.into(), 157_286.4), "154 KiB");
        assert_eq!(amount(&Resource::Rss.into(), -3_145_728.0), "-3.00 MiB");
        assert_eq!(amount(&Resource::Fds.into(), 40.0), "40.0 descriptors");
        assert_eq!(rate(&Resource::Fds.into(), 0.5), "0.50/s");
        assert_eq!(rate(&Resource::Rss.into(), 0.0), "0 B/s");
        assert_eq!(slow_rate_of("descriptors", 0.5), "0.50/s");
        assert_eq!(slow_rate_of("descriptors", 0.001), "3.60/h");
        assert_eq!(slow_rate_of("descriptors", 0.000_1), "8.64/day");
        assert_eq!(slow_rate_of("descriptors", -1e-12), "0/day");
        assert_eq!(slow_rate_of("bytes", 444.0), "444 B/s");
        assert_eq!(per_unit(&Resource::Rss.into(), 150.4), "150 B");
        assert_eq!(per_unit(&Resource::Fds.into(), 0.005), "1 in 200");
        assert_eq!(per_unit(&Resource::Fds.into(), 0.0), "0 descriptors");
        let gauge = Watched::Gauge {
            name: "queue_depth".into(),
            named: true,
        };
        assert_eq!(amount(&gauge, 40.0), "40.0");
    }

    #[test]
    fn times_grow_with_their_units() {
        assert_eq!(seconds(40.2), "40 s");
        assert_eq!(seconds(600.0), "10 min");
        assert_eq!(seconds(7_200.0), "2.00 h");
        assert_eq!(seconds(864_000.0), "10.0 days");
    }
}
