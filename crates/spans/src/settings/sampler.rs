//! Which traces are recorded.

use crate::context::SpanContext;
use crate::error::SettingError;
use crate::ids::TraceId;
use crate::settings::variables::Variables;

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampler {
    /// Whether a caller's decision holds.
    pub(crate) by_parent: bool,
    /// Which of those that begin here.
    pub(crate) root: Root,
}

/// Which traces are recorded that begin here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Root {
    All,
    None,
    /// Those whose lot is below this: a share of all.
    Part(u64),
}

const NAME: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

// === impl Sampler ===

impl Sampler {
    pub(super) fn read(variables: &Variables<'_>) -> Result<Self, SettingError> {
        let name = variables.text(NAME)?.unwrap_or_else(|| "parentbased_always_on".to_owned());
        let (by_parent, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name.as_str()),
        };
        let argument = variables.text(ARGUMENT)?;
        let root = match (root, argument) {
            ("traceidratio", argument) => part(argument)?,
            ("always_on", None) => Root::All,
            ("always_off", None) => Root::None,
            ("always_on" | "always_off", Some(_)) => {
                return Err(SettingError::new(
                    ARGUMENT,
                    format!("{NAME} says {name}, which takes none: unset it, or name traceidratio there"),
                ));
            }
            _ => return Err(SettingError::new(NAME, unknown(&name))),
        };
        Ok(Self { by_parent, root })
    }

    /// Whether a trace is recorded here, of which this caller is known.
    pub(crate) fn takes(&self, trace: TraceId, parent: Option<&SpanContext>) -> bool {
        match (parent, self.root) {
            (Some(parent), _) if self.by_parent => parent.sampled,
            (_, Root::All) => true,
            (_, Root::None) => false,
            (_, Root::Part(below)) => trace.lot() < below,
        }
    }
}

/// A share of all traces, by an argument from 0 to 1.
fn part(argument: Option<String>) -> Result<Root, SettingError> {
    let Some(text) = argument else { return Ok(Root::All) };
    match text.parse::<f64>() {
        Ok(1.0) => Ok(Root::All),
        // 2 to the power of 64, times less than 1.
        Ok(share) if (0.0..1.0).contains(&share) => Ok(Root::Part((share * 18_446_744_073_709_551_616.0) as u64)),
        _ => Err(SettingError::new(ARGUMENT, format!("{text:?} is no share from 0 to 1, such as 0.01"))),
    }
}

fn unknown(name: &str) -> String {
    format!(
        "{name:?} is not known here: say always_on, always_off or traceidratio, with parentbased_ before it or without"
    )
}
