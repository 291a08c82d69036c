//! What programs tell of themselves over HTTP, in the text format of Prometheus:
//! gauges that are judged as resources are, and a counter of the work that was done.

mod exposition;
mod reading;
mod scrape;

use std::fmt::Write as _;
use std::time::Duration;

use super::thresholds::GaugeRules;
use crate::host::Host;

pub use reading::Reading;
pub(super) use scrape::Scraper;

/// The most names that can be watched.
const MOST_NAMES: usize = 64;
/// The longest name with its labels, in bytes.
const LONGEST_NAME: usize = 300;

/// Why counters cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountersError {
    /// The address is none.
    #[error("`{url}` is no address of counters: {why}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The address is not on this machine.
    #[error("the counters of `{url}` are not on this machine")]
    Remote {
        /// What was given.
        url: String,
    },
    /// Both sides would be asked at the same address.
    #[error("both sides would be asked for their counters at `{url}`")]
    Shared {
        /// What was given.
        url: String,
    },
    /// A name is none.
    #[error("`{name}` names no series: {why}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// There is an answer to be read and no address.
    #[error("`watch` and `per` name series, and there is no address to read them from")]
    NoAddress,
}

/// The series of a name, or those of them that carry these labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    name: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// Reads `name` or `name{label="value"}`.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, CountersError> {
        let shown: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_NAME)
            .collect();
        let wrong = |why| CountersError::Name {
            name: shown.clone(),
            why,
        };
        if text.len() > LONGEST_NAME {
            return Err(wrong("it is longer than 300 bytes"));
        }
        let (name, labels, rest) = exposition::selector(text.trim()).map_err(wrong)?;
        if !rest.trim().is_empty() {
            return Err(wrong("there is something after the labels"));
        }
        if labels
            .iter()
            .any(|(_, value)| value.contains(char::is_control))
        {
            return Err(wrong("a label's value holds a control character"));
        }
        let mut labels: Vec<(String, String)> = labels
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect();
        labels.sort();
        Ok(Self {
            name: name.to_owned(),
            labels,
        })
    }

    fn takes(&self, series: &exposition::Series<'_>) -> bool {
        self.name == series.name
            && self.labels.iter().all(|(name, value)| {
                let same = |(other, of_other): &(&str, std::borrow::Cow<'_, str>)| {
                    other == name && of_other == value
                };
                series.labels.iter().any(same)
            })
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        for (place, (name, value)) in self.labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            f.write_char(if place == 0 { '{' } else { ',' })?;
            write!(f, "{name}=\"{value}\"")?;
        }
        if self.labels.is_empty() {
            Ok(())
        } else {
            f.write_char('}')
        }
    }
}

/// Which counters of both sides are read, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// The address; `{port}` and `{metrics-port}` are the ports of the side.
    pub url: String,
    /// The gauges that are judged; empty: those that look like something held.
    pub watch: Vec<Selector>,
    /// The counter that tells how much work was done.
    pub per: Option<Selector>,
}

impl Counters {
    /// Counters at this address. `remote` allows addresses of other machines; `apart`
    /// says that the sides do not run at once.
    ///
    /// # Errors
    /// When the address or a name cannot be used.
    pub fn new(
        url: &str,
        watch: &[String],
        per: Option<&str>,
        (remote, apart): (bool, bool),
    ) -> Result<Self, CountersError> {
        let shown: String = url.chars().filter(|c| !c.is_control()).take(300).collect();
        let wrong = |why: &str| CountersError::Address {
            url: shown.clone(),
            why: why.to_owned(),
        };
        let parsed = reqwest::Url::parse(&filled(url, 1, 1));
        let parsed = parsed.map_err(|error| wrong(&error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(wrong("it begins with neither `http://` nor `https://`"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("a name or a password has no place in it"));
        }
        let host = parsed.host_str().unwrap_or_default();
        if !remote && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            return Err(CountersError::Remote { url: shown });
        }
        if !apart && filled(url, 1, 1) == filled(url, 2, 2) {
            return Err(CountersError::Shared { url: shown });
        }
        if watch.len() > MOST_NAMES {
            return Err(CountersError::Name {
                name: format!("{} names", watch.len()),
                why: "there are more than 64",
            });
        }
        let mut watch = watch
            .iter()
            .map(|name| Selector::parse(name))
            .collect::<Result<Vec<Selector>, CountersError>>()?;
        watch.sort();
        watch.dedup();
        Ok(Self {
            url: url.to_owned(),
            watch,
            per: per.map(Selector::parse).transpose()?,
        })
    }

    /// Reads texts that one program told one after the other, with the time of each:
    /// what is watched, or why the text tells nothing.
    #[must_use]
    pub fn read(
        &self,
        texts: &[(Duration, &str)],
        rules: &GaugeRules,
    ) -> Vec<Result<Reading, String>> {
        let mut before = reading::Before::default();
        let mut next = |(at, text): &(Duration, &str)| {
            let read = before.next(*at, text, self, rules);
            read.map_err(|error| error.to_string())
        };
        texts.iter().map(&mut next).collect()
    }

    /// The address for a side with these ports.
    pub(super) fn address(&self, ports: Ports) -> String {
        filled(&self.url, ports.service, ports.counters)
    }
}

fn filled(url: &str, port: u16, counters: u16) -> String {
    url.replace("{port}", &port.to_string())
        .replace("{metrics-port}", &counters.to_string())
}

/// The ports of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) service: u16,
    /// One more, for programs that tell their counters at another one.
    pub(super) counters: u16,
}

impl Ports {
    /// Two that nobody uses now.
    pub(super) fn free(host: &Host) -> Option<Self> {
        let service = host.processes.free_port()?;
        let mut others = (0..8).filter_map(|_| host.processes.free_port());
        Some(Self {
            service,
            counters: others.find(|port| *port != service)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(url: &str, watch: &[&str]) -> Result<Counters, CountersError> {
        let watch: Vec<String> = watch.iter().map(|&name| name.to_owned()).collect();
        Counters::new(url, &watch, None, (false, false))
    }

    const GOOD: &str = "http://127.0.0.1:{port}/metrics";

    #[test]
    fn an_address_is_on_this_machine_and_differs_by_side() {
        let counters = new(GOOD, &[]).unwrap();
        let ports = Ports {
            service: 81,
            counters: 82,
        };
        assert_eq!(counters.address(ports), "http://127.0.0.1:81/metrics");
        assert!(new("http://[::1]:{metrics-port}/", &[]).is_ok());
        for url in [
            "http://10.0.0.1:{port}/",
            "http://127.0.0.1.example:{port}/",
        ] {
            assert!(matches!(new(url, &[]), Err(CountersError::Remote { .. })));
            assert!(Counters::new(url, &[], None, (true, false)).is_ok());
        }
        let shared = "http://localhost:9090/metrics";
        assert!(matches!(
            new(shared, &[]),
            Err(CountersError::Shared { .. })
        ));
        assert!(Counters::new(shared, &[], None, (false, true)).is_ok());
        for (url, says) in [
            ("file:///etc/passwd", "begins with neither"),
            ("http://me:secret@127.0.0.1:{port}/", "a password"),
            ("metrics", "relative URL"),
        ] {
            let said = new(url, &[]).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_name_can_carry_labels_and_nothing_odd() {
        let counters = new(GOOD, &["b{y=\"2\", x=\"1\"}", "a", "a"]).unwrap();
        let shown: Vec<String> = counters.watch.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a", "b{x=\"1\",y=\"2\"}"]);
        for (name, says) in [
            ("a b", "after the labels"),
            ("a{x=\"\u{1b}[31m\"}", "control character"),
            ("", "a name is"),
            ("a{", "no end"),
        ] {
            let said = new(GOOD, &[name]).unwrap_err().to_string();
            assert!(said.contains(says) && !said.contains('\u{1b}'), "{said}");
        }
    }
}
