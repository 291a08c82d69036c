//! Flagger: a `Canary` over the Deployment that is there, and a `MetricTemplate` for
//! each metric (v1beta1).

use std::time::Duration;

use serde_json::{Value, json};

use super::settings::{minutes, time};
use super::{Plan, queries, yaml};
use crate::rollout::Metric;

/// A provider that shifts no traffic: old and new run side by side.
const NO_WEIGHTS: &str = "kubernetes";

impl Plan {
    /// The manifests.
    pub(super) fn flagger(&self) -> String {
        let comment = vec![
            format!(
                "Flagger: a canary of {}, {} in all.",
                self.service.name,
                time(self.duration)
            ),
            format!("Difference {}, verdict {}.", self.subject.difference, self.subject.verdict),
            "Flagger names the baseline NAME-primary: the labels of [rollout] must tell the two apart.".to_owned(),
        ];
        let mut documents = vec![self.canary()];
        documents.extend(self.watched().map(|metric| self.metric_template(metric)));
        yaml::documents(&comment, &documents)
    }

    fn metric_name(&self, metric: &Metric) -> String {
        let id = metric.id.to_ascii_lowercase().replace(['_', '.'], "-");
        format!("{}-{}", self.service.name, id.trim_matches('-'))
    }

    fn canary(&self) -> Value {
        let service = &self.service;
        let metrics: Vec<Value> = self
            .watched()
            .map(|metric| {
                let check = queries::of(self, metric);
                json!({
                    "name": metric.id,
                    "interval": minutes(self.slope_window),
                    "templateRef": {
                        "name": self.metric_name(metric),
                        "namespace": service.namespace,
                    },
                    "thresholdRange": { "max": check.limit },
                })
            })
            .collect();
        let mut analysis = json!({ "threshold": 1, "metrics": metrics });
        if service.provider == NO_WEIGHTS {
            let rounds = self
                .duration
                .as_secs()
                .div_ceil(self.slope_window.as_secs().max(60));
            analysis["interval"] = json!(minutes(self.slope_window));
            analysis["iterations"] = json!(rounds);
        } else {
            let weights: Vec<u8> = self.steps.iter().map(|step| step.weight).collect();
            let each = self
                .duration
                .as_secs()
                .div_ceil(weights.len().max(1) as u64);
            analysis["interval"] = json!(minutes(Duration::from_secs(each)));
            analysis["stepWeights"] = json!(weights);
        }
        json!({
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {
                "name": service.name,
                "namespace": service.namespace,
                "annotations": { "cargo-canary/diff-digest": self.subject.difference },
            },
            "spec": {
                "provider": service.provider,
                "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": service.name },
                "service": { "port": service.port },
                "analysis": analysis,
            },
        })
    }

    fn metric_template(&self, metric: &Metric) -> Value {
        let check = queries::of(self, metric);
        json!({
            "apiVersion": "flagger.app/v1beta1",
            "kind": "MetricTemplate",
            "metadata": {
                "name": self.metric_name(metric),
                "namespace": self.service.namespace,
            },
            "spec": {
                "provider": { "type": "prometheus", "address": self.config.access.url },
                "query": check.query,
            },
        })
    }
}
