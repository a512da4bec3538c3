//! A request to pause, resume or cancel a labelling, checked.

use headwater_types::{DatasetName, ModelName};

use super::relabel::parsed;
use crate::proto;
use crate::status::Invalid;

/// What is to become of a labelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlLabelling {
    /// The dataset that is labelled.
    pub dataset: DatasetName,
    /// The model or head that labels it.
    pub model: ModelName,
    /// What is to become of it.
    pub command: LabellingCommand,
}

/// What may become of a labelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabellingCommand {
    /// It rests, also after a restart of the server.
    Pause,
    /// It goes on.
    Resume,
    /// It ends. What was labelled stays.
    Cancel,
}

impl TryFrom<proto::ControlLabellingRequest> for ControlLabelling {
    type Error = Invalid;

    fn try_from(request: proto::ControlLabellingRequest) -> Result<Self, Invalid> {
        let command = match request.command() {
            proto::LabellingCommand::Pause => LabellingCommand::Pause,
            proto::LabellingCommand::Resume => LabellingCommand::Resume,
            proto::LabellingCommand::Cancel => LabellingCommand::Cancel,
            proto::LabellingCommand::Unspecified => {
                return Err(Invalid::new("the request says not what is to be done"));
            }
        };
        Ok(Self { dataset: parsed(&request.dataset)?, model: parsed(&request.model)?, command })
    }
}

impl From<ControlLabelling> for proto::ControlLabellingRequest {
    fn from(control: ControlLabelling) -> Self {
        let ControlLabelling { dataset, model, command } = control;
        let command = match command {
            LabellingCommand::Pause => proto::LabellingCommand::Pause,
            LabellingCommand::Resume => proto::LabellingCommand::Resume,
            LabellingCommand::Cancel => proto::LabellingCommand::Cancel,
        };
        Self { dataset: dataset.to_string(), model: model.to_string(), command: command.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_wire_and_none_is_refused() {
        for command in [LabellingCommand::Pause, LabellingCommand::Resume, LabellingCommand::Cancel] {
            let (dataset, model) = ("d".parse().unwrap(), "m".parse().unwrap());
            let control = ControlLabelling { dataset, model, command };
            let written = proto::ControlLabellingRequest::from(control.clone());
            assert_eq!(ControlLabelling::try_from(written.clone()), Ok(control));
            assert!(ControlLabelling::try_from(proto::ControlLabellingRequest { command: 9, ..written }).is_err());
        }
    }
}
