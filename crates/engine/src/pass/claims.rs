//! Volumes and volume claims of the workflow (C-OP-03 rows 12 and 13, C-GC-20, C-GC-21).

use argosy_model::k8s::{OwnerReference, PersistentVolumeClaimVolumeSource, Volume, VolumeSource};
use argosy_model::{VolumeClaimGcStrategy, WorkflowPhase};

use super::{Pass, labels};
use crate::decision::{Effect, Waiting};

impl Pass<'_> {
    /// Makes the claims and lists the volumes. False: the pass ends here.
    pub fn prepare_volumes(&mut self) -> bool {
        if !self.prepare_claims() {
            return false;
        }
        if self.status.phase == WorkflowPhase::Pending {
            self.mark_workflow(WorkflowPhase::Running, "");
        }
        self.volumes = self
            .spec
            .volumes
            .iter()
            .chain(&self.status.persistent_volume_claims)
            .cloned()
            .collect();
        true
    }

    fn prepare_claims(&mut self) -> bool {
        let templates = self.spec.volume_claim_templates.clone();
        let running = matches!(self.status.phase, WorkflowPhase::Pending | WorkflowPhase::Running);
        if templates.is_empty() || !running || self.status.persistent_volume_claims.len() == templates.len() {
            return true;
        }
        let mut volumes = Vec::new();
        for (index, template) in templates.iter().enumerate() {
            let own = &template.metadata.name;
            if own.is_empty() {
                return self.claim_error(&format!(
                    "volumeClaimTemplates[{index}].metadata.name is required"
                ));
            }
            let name = format!("{}-{own}", self.wf.metadata.name);
            if self.seen.outcomes.claims_found.get(&name) == Some(&false) {
                return self.claim_error(&format!(
                    "{name} pvc already exists with different ownerreference"
                ));
            }
            if let Some(refusal) = self.seen.outcomes.claims.get(&name).cloned() {
                if refusal.transient {
                    let message = format!("Waiting for a PVC to be created. {}", refusal.message);
                    self.mark_workflow(WorkflowPhase::Pending, &message);
                    self.waiting.insert(
                        String::new(),
                        Waiting::Claim {
                            message: refusal.message,
                        },
                    );
                    self.retry_later();
                    self.effect_claim(template.clone(), &name);
                    return false;
                }
                return self.claim_error(&refusal.message);
            }
            self.effect_claim(template.clone(), &name);
            let source = PersistentVolumeClaimVolumeSource {
                claim_name: name,
                ..Default::default()
            };
            let source = VolumeSource {
                persistent_volume_claim: Some(source),
                ..VolumeSource::default()
            };
            volumes.push(Volume {
                name: own.clone(),
                source,
            });
        }
        self.status.persistent_volume_claims = volumes;
        self.updated = true;
        true
    }

    fn effect_claim(&mut self, mut claim: argosy_model::k8s::PersistentVolumeClaim, name: &str) {
        name.clone_into(&mut claim.metadata.name);
        claim.metadata.namespace.clone_from(&self.wf.metadata.namespace);
        claim
            .metadata
            .labels
            .insert(labels::WORKFLOW.to_owned(), self.wf.metadata.name.clone());
        claim.metadata.owner_references = vec![self.owner()];
        self.effect(Effect::CreateClaim {
            claim: Box::new(claim),
        });
    }

    /// The workflow as controlling owner.
    pub fn owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Workflow".to_owned(),
            name: self.wf.metadata.name.clone(),
            uid: self.wf.metadata.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }

    fn claim_error(&mut self, message: &str) -> bool {
        let message = format!("pvc create error: {message}");
        self.mark_workflow(WorkflowPhase::Error, &message);
        false
    }

    /// Deletes the claims of a workflow that ended (C-GC-21, Q-22).
    pub fn delete_claims(&mut self) {
        let strategy = self
            .spec
            .volume_claim_gc
            .as_ref()
            .map_or(&VolumeClaimGcStrategy::Unset, |gc| &gc.strategy);
        let due = match strategy {
            VolumeClaimGcStrategy::OnWorkflowCompletion => true,
            _ => self.status.phase == WorkflowPhase::Succeeded,
        };
        if !due || self.status.persistent_volume_claims.is_empty() {
            return;
        }
        for volume in std::mem::take(&mut self.status.persistent_volume_claims) {
            if let Some(claim) = volume.source.persistent_volume_claim {
                self.effect(Effect::DeleteClaim {
                    name: claim.claim_name,
                });
            }
        }
        self.updated = true;
    }
}
