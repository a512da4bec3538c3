//! Questions about labels, checked.

use headwater_types::{DatasetName, ModelName};

use super::relabel::parsed;
use crate::proto;
use crate::status::Invalid;

/// A question about the labels of a dataset's samples.
#[derive(Clone, Debug, PartialEq)]
pub struct AskLabels {
    /// The dataset.
    pub dataset: DatasetName,
    /// Whose labels.
    pub labeller: LabellerChoice,
    /// Which samples.
    pub question: Question,
    /// Least score of the best class.
    pub min_score: f32,
    /// Most samples that are wanted; `None`: all.
    pub limit: Option<u64>,
}

/// A question about how many samples have each label.
#[derive(Clone, Debug, PartialEq)]
pub struct CountLabels {
    /// The dataset.
    pub dataset: DatasetName,
    /// Whose labels.
    pub labeller: LabellerChoice,
    /// Least score of the best class.
    pub min_score: f32,
}

/// Which samples are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// All that are labelled, in the order of the dataset.
    All,
    /// Those of this class, by its name or number, the highest score first.
    Label(String),
    /// Those whose best class is another than this labeller's.
    ChangedSince(LabellerChoice),
    /// Those with the lowest scores, the lowest first.
    Uncertain,
}

/// Whose labels are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabellerChoice {
    /// The model or head; `None`: any.
    pub model: Option<ModelName>,
    /// The first hexadecimal digits of the labeller's digest or of its file's, in lower case; empty: any.
    pub digest: String,
}

/// Most bytes of a label.
const MAX_LABEL_BYTES: usize = 4096;

// === impl LabellerChoice ===

impl TryFrom<proto::LabellerChoice> for LabellerChoice {
    type Error = Invalid;

    fn try_from(choice: proto::LabellerChoice) -> Result<Self, Invalid> {
        let proto::LabellerChoice { model, digest } = choice;
        let digest = digest.to_ascii_lowercase();
        if digest.len() > 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let digest: String = digest.chars().take(100).collect();
            return Err(Invalid::new(format!("{digest:?} is no beginning of a digest: give hexadecimal digits")));
        }
        let model = (!model.is_empty()).then(|| parsed(&model)).transpose()?;
        Ok(Self { model, digest })
    }
}

impl From<LabellerChoice> for proto::LabellerChoice {
    fn from(choice: LabellerChoice) -> Self {
        let LabellerChoice { model, digest } = choice;
        Self { model: model.map(|model| model.to_string()).unwrap_or_default(), digest }
    }
}

impl TryFrom<proto::AskLabelsRequest> for AskLabels {
    type Error = Invalid;

    fn try_from(request: proto::AskLabelsRequest) -> Result<Self, Invalid> {
        use proto::ask_labels_request::Question as Asked;

        let question = match request.question {
            None => Question::All,
            Some(Asked::Label(label)) if label.len() > MAX_LABEL_BYTES => {
                return Err(Invalid::new(format!("a label of {} bytes", label.len())));
            }
            Some(Asked::Label(label)) => Question::Label(label),
            Some(Asked::ChangedSince(before)) => Question::ChangedSince(before.try_into()?),
            Some(Asked::Uncertain(proto::Uncertain {})) => Question::Uncertain,
        };
        Ok(Self {
            dataset: parsed(&request.dataset)?,
            labeller: request.labeller.unwrap_or_default().try_into()?,
            question,
            min_score: score(request.min_score)?,
            limit: (request.limit > 0).then_some(request.limit),
        })
    }
}

impl From<AskLabels> for proto::AskLabelsRequest {
    fn from(ask: AskLabels) -> Self {
        use proto::ask_labels_request::Question as Asked;

        let question = match ask.question {
            Question::All => None,
            Question::Label(label) => Some(Asked::Label(label)),
            Question::ChangedSince(before) => Some(Asked::ChangedSince(before.into())),
            Question::Uncertain => Some(Asked::Uncertain(proto::Uncertain {})),
        };
        let (dataset, labeller) = (ask.dataset.to_string(), Some(ask.labeller.into()));
        Self { dataset, labeller, question, min_score: ask.min_score, limit: ask.limit.unwrap_or_default() }
    }
}

impl TryFrom<proto::CountLabelsRequest> for CountLabels {
    type Error = Invalid;

    fn try_from(request: proto::CountLabelsRequest) -> Result<Self, Invalid> {
        let (dataset, labeller) = (parsed(&request.dataset)?, request.labeller.unwrap_or_default().try_into()?);
        Ok(Self { dataset, labeller, min_score: score(request.min_score)? })
    }
}

impl From<CountLabels> for proto::CountLabelsRequest {
    fn from(count: CountLabels) -> Self {
        let CountLabels { dataset, labeller, min_score } = count;
        Self { dataset: dataset.to_string(), labeller: Some(labeller.into()), min_score }
    }
}

fn score(score: f32) -> Result<f32, Invalid> {
    match (0.0..=1.0).contains(&score) {
        true => Ok(score),
        false => Err(Invalid::new(format!("a least score of {score}: give one from 0 to 1"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(model: &str, digest: &str) -> LabellerChoice {
        LabellerChoice { model: Some(model.parse().unwrap()), digest: digest.to_owned() }
    }

    #[test]
    fn questions_survive_the_wire() {
        let questions = [
            Question::All,
            Question::Label("cat".into()),
            Question::ChangedSince(choice("m", "0a")),
            Question::Uncertain,
        ];
        for question in questions {
            let (dataset, labeller) = ("d".parse().unwrap(), LabellerChoice::default());
            let ask = AskLabels { dataset, labeller, question, min_score: 0.5, limit: Some(3) };
            assert_eq!(AskLabels::try_from(proto::AskLabelsRequest::from(ask.clone())), Ok(ask));
        }
        let (dataset, labeller) = ("d".parse().unwrap(), choice("m", "ff00"));
        let count = CountLabels { dataset, labeller, min_score: 1.0 };
        assert_eq!(CountLabels::try_from(proto::CountLabelsRequest::from(count.clone())), Ok(count));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let good = proto::AskLabelsRequest { dataset: "d".into(), ..Default::default() };
        let refused = |request: proto::AskLabelsRequest| AskLabels::try_from(request).unwrap_err().to_string();
        assert!(refused(proto::AskLabelsRequest { min_score: 1.5, ..good.clone() }).contains("from 0 to 1"));
        assert!(refused(proto::AskLabelsRequest { min_score: f32::NAN, ..good.clone() }).contains("from 0 to 1"));
        let labeller = Some(proto::LabellerChoice { digest: "xyz".into(), ..Default::default() });
        assert!(refused(proto::AskLabelsRequest { labeller, ..good.clone() }).contains("hexadecimal"));
        assert!(refused(proto::AskLabelsRequest { dataset: String::new(), ..good }).contains("dataset name"));
    }
}
