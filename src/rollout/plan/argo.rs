//! Argo Rollouts: a `Rollout` over the Deployment that is there, and an
//! `AnalysisTemplate` that runs beside it (v1alpha1).

use serde_json::{Value, json};

use super::settings::{minutes, pod_labels, time};
use super::{Plan, queries, yaml};

impl Plan {
    /// The manifests.
    pub(super) fn argo(&self) -> String {
        let name = &self.service.name;
        let comment = vec![
            format!(
                "Argo Rollouts: a canary of {name}, {} in all.",
                time(self.duration)
            ),
            format!(
                "Difference {}, verdict {}.",
                self.subject.difference, self.subject.verdict
            ),
            "The Deployment stays as it is; the Rollout takes over its pods (`workloadRef`)."
                .to_owned(),
            "Prometheus must carry the labels of the pods over to their series.".to_owned(),
            format!(
                "The last pause has no end: judge, sign, then `kubectl argo rollouts promote {name}`."
            ),
        ];
        yaml::documents(&comment, &[self.rollout(), self.template()])
    }

    fn metadata(&self, name: &str) -> Value {
        json!({
            "name": name,
            "namespace": self.service.namespace,
            "annotations": { "cargo-canary/diff-digest": self.subject.difference },
        })
    }

    fn rollout(&self) -> Value {
        let service = &self.service;
        let mut steps: Vec<Value> = Vec::new();
        for step in &self.steps {
            steps.push(json!({ "setWeight": step.weight }));
            steps.push(json!({ "pause": { "duration": minutes(step.pause) } }));
        }
        steps.push(json!({ "pause": {} }));
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": self.metadata(&service.name),
            "spec": {
                "replicas": service.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineAbort": true,
                "selector": { "matchLabels": service.selector },
                "workloadRef": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": service.name,
                    "scaleDown": "progressively",
                },
                "strategy": { "canary": {
                    "maxSurge": 1,
                    "maxUnavailable": 0,
                    "canaryMetadata": { "labels": pod_labels(&self.config.canary) },
                    "stableMetadata": { "labels": pod_labels(&self.config.baseline) },
                    "analysis": {
                        "startingStep": 1,
                        "templates": [{ "templateName": self.template_name() }],
                    },
                    "steps": steps,
                } },
            },
        })
    }

    fn template_name(&self) -> String {
        format!("{}-canary", self.service.name)
    }

    fn template(&self) -> Value {
        let metrics: Vec<Value> = self
            .watched()
            .map(|metric| {
                let check = queries::of(self, metric);
                let limit = check.limit;
                json!({
                    "name": metric.id,
                    // Until then a slope has too little behind it.
                    "initialDelay": minutes(self.slope_window + self.config.warm_up),
                    "interval": minutes(self.slope_window / 5),
                    "failureCondition": format!("len(result) > 0 && result[0] >= {limit}"),
                    "successCondition": format!("len(result) > 0 && result[0] < {limit}"),
                    "failureLimit": 1,
                    "inconclusiveLimit": 3,
                    "consecutiveErrorLimit": 4,
                    "provider": { "prometheus": {
                        "address": self.config.access.url,
                        "query": check.query,
                    } },
                })
            })
            .collect();
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": self.metadata(&self.template_name()),
            "spec": { "metrics": metrics },
        })
    }
}
