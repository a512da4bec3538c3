//! The role that each call needs.

use headwater_access::Role;

/// The role that a call needs, by its path: `/package.Service/Call`. `None` for what everybody may ask: health, by
/// which a balancer sees whether the server lives.
pub(super) fn needed(path: &str) -> Option<Role> {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (service, call) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(ours) = service.strip_prefix("headwater.v1.") else {
        return match service {
            "grpc.health.v1.Health" => None,
            service if service.starts_with("grpc.reflection.") => Some(Role::Read),
            _ => Some(Role::Admin),
        };
    };
    Some(match (ours, call) {
        ("Datasets" | "Samples" | "Losses" | "Caches" | "Jobs" | "Homes", _)
        | ("Labels", "ListLabellings" | "AskLabels" | "CountLabels")
        | ("Models", "ListModels" | "AskVersions" | "OpenFront" | "OfferModel" | "PullPiece") => Role::Read,
        ("Labels" | "Models" | "Ingests" | "Trainings", _) => Role::Write,
        _ => Role::Admin,
    })
}

#[cfg(test)]
mod tests {
    use headwater_wire::proto::FILE_DESCRIPTOR_SET;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// A call that is added has to be thought of here: this is the list of all.
    #[test]
    fn every_call_of_the_protocol_has_the_role_that_was_meant() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
        let mut writing = Vec::new();
        let mut admin = Vec::new();
        for file in &files {
            for service in &file.service {
                for method in &service.method {
                    let (service, call) = (service.name(), method.name());
                    match needed(&format!("/headwater.v1.{service}/{call}")) {
                        Some(Role::Read) => {}
                        Some(Role::Write) => writing.push(format!("{service}/{call}")),
                        Some(Role::Admin) => admin.push(format!("{service}/{call}")),
                        None => panic!("{service}/{call} is for everybody"),
                    }
                }
            }
        }
        writing.sort();
        let expected = [
            "Ingests/Ingest",
            "Labels/ControlLabelling",
            "Labels/LabelFeatures",
            "Labels/OpenLabelling",
            "Labels/Relabel",
            "Models/ActivateModel",
            "Models/BeginPush",
            "Models/PushPieces",
            "Models/RollBackModel",
            "Trainings/BeginTraining",
            "Trainings/EndTraining",
            "Trainings/PrepareTraining",
            "Trainings/ScoreWeights",
            "Trainings/Train",
        ];
        assert_eq!(writing, expected);
        assert_eq!(admin, ["Reloads/Reload"]);
    }

    #[test]
    fn health_is_for_everybody_and_what_is_not_known_is_for_nobody_else() {
        assert_eq!(needed("/grpc.health.v1.Health/Check"), None);
        assert_eq!(needed("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), Some(Role::Read));
        for path in ["", "/", "/x/y", "/headwater.v1.New/Call", "/headwater.v2.Samples/Fetch"] {
            assert_eq!(needed(path), Some(Role::Admin), "{path}");
        }
    }
}
