//! Alert rules for Prometheus, for the time of the canary and after it.

use serde_json::{Value, json};

use super::settings::time;
use super::{Plan, queries, yaml};
use crate::rollout::{Kind, promql};

impl Plan {
    /// The file of rules.
    pub(super) fn rules(&self) -> String {
        let comment = vec![
            format!(
                "Prometheus: alerts for the canary of {}.",
                self.service.name
            ),
            "`promtool check rules FILE` checks it.".to_owned(),
        ];
        let mut rules: Vec<Value> = self
            .watched()
            .map(|metric| {
                let check = queries::of(self, metric);
                let severity = if metric.kind == Kind::Trend {
                    "page"
                } else {
                    "warning"
                };
                self.rule(
                    &format!("Canary{}", camel(&metric.id)),
                    &format!("{} >= {}", check.query, check.limit),
                    "5m",
                    severity,
                    &check.says,
                )
            })
            .collect();
        let canary = promql::selector(&self.config.canary);
        rules.push(self.rule(
            "CanaryRestarts",
            &format!("increase(kube_pod_container_status_restarts_total{{{canary}}}[30m]) > 1"),
            "0s",
            "page",
            "an instance restarts again and again",
        ));
        rules.push(self.rule(
            "CanaryOutOfMemory",
            &format!(
                "max by (pod) (kube_pod_container_status_last_terminated_reason{{{canary},reason=\"OOMKilled\"}}) == 1 and on (pod) max by (pod) (increase(kube_pod_container_status_restarts_total{{{canary}}}[10m])) > 0"
            ),
            "0s",
            "page",
            "an instance was ended for want of memory",
        ));
        rules.push(self.rule(
            "CanaryDescriptorsFull",
            &format!("process_open_fds{{{canary}}} / process_max_fds{{{canary}}} > 0.8"),
            "2m",
            "page",
            "an instance uses four fifths of the file descriptors that it may have",
        ));
        let document = json!({
            "groups": [{ "name": format!("canary-{}", self.service.name), "rules": rules }],
        });
        yaml::documents(&comment, &[document])
    }

    fn rule(&self, alert: &str, expr: &str, wait: &str, severity: &str, says: &str) -> Value {
        json!({
            "alert": alert,
            "expr": expr,
            "for": wait,
            "labels": { "severity": severity, "service": self.service.name },
            "annotations": {
                "summary": format!("canary of {}: {says}", self.service.name),
                "description": format!(
                    "The canary runs {}. To go back: kubectl argo rollouts abort {name} -n {namespace}, or kubectl rollout undo deployment/{name} -n {namespace}.",
                    time(self.duration),
                    name = self.service.name,
                    namespace = self.service.namespace,
                ),
            },
        })
    }
}

/// `container-memory` as `ContainerMemory`.
fn camel(id: &str) -> String {
    id.split(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map_or_else(String::new, |first| {
                format!("{}{}", first.to_ascii_uppercase(), chars.as_str())
            })
        })
        .collect()
}
