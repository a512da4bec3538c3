//! What the standard variables `OTEL_*` say of traces. They are OpenTelemetry's own, and no flag of ours repeats them.
//!
//! A variable that is empty counts as not set. Those that are for a program without traces are not looked at.

mod batching;
mod destination;
mod endpoint;
mod list;
mod resource;
mod sampler;
mod variables;

use std::ffi::OsString;

pub(crate) use batching::Batching;
pub(crate) use destination::Destination;
pub(crate) use endpoint::Endpoint;
pub use endpoint::Protocol;
pub(crate) use resource::Resource;
pub(crate) use sampler::Sampler;

use crate::error::SettingError;
use list::listed;
use variables::Variables;

/// How traces are made, and where they go.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) sampler: Sampler,
    /// Whether calls say where they belong.
    pub(crate) propagates: bool,
    pub(crate) resource: Resource,
    pub(crate) batching: Batching,
    pub(crate) destination: Destination,
}

// === impl Settings ===

impl Settings {
    /// Reads the process's variables; `None` where no traces are wanted, which is how it is unless a variable names a
    /// collector. `program`: the service's name where none is set.
    ///
    /// # Errors
    /// A variable that cannot be right.
    pub fn from_environment(program: &str) -> Result<Option<Self>, SettingError> {
        Self::read(program, &|name| std::env::var_os(name))
    }

    /// As [`from_environment`](Self::from_environment), of these variables.
    ///
    /// # Errors
    /// The same.
    pub fn read(program: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Self>, SettingError> {
        let variables = Variables(variable);
        if variables.switch("OTEL_SDK_DISABLED")? {
            return Ok(None);
        }
        let exports = exports(&variables)?;
        let endpoint = match (exports, Endpoint::named(&variables)?) {
            (Some(false), _) | (None, None) => return Ok(None),
            (_, endpoint) => endpoint,
        };
        Ok(Some(Self {
            sampler: Sampler::read(&variables)?,
            propagates: propagates(&variables)?,
            resource: Resource::read(program, &variables)?,
            batching: Batching::read(&variables)?,
            destination: Destination::read(endpoint, &variables)?,
        }))
    }

    /// Where the spans go, for people.
    pub fn endpoint(&self) -> String {
        self.destination.endpoint.to_string()
    }
}

/// Whether `OTEL_TRACES_EXPORTER` asks for an exporter; `None` where it says nothing.
fn exports(variables: &Variables<'_>) -> Result<Option<bool>, SettingError> {
    const NAME: &str = "OTEL_TRACES_EXPORTER";
    let Some(text) = variables.text(NAME)? else { return Ok(None) };
    match listed(&text).collect::<Vec<_>>()[..] {
        ["none"] => Ok(Some(false)),
        ["otlp"] => Ok(Some(true)),
        _ => Err(SettingError::new(NAME, format!("{text:?} is not known here: write otlp, or none for no traces"))),
    }
}

/// Whether `OTEL_PROPAGATORS` has ours among them. Others, such as baggage, have nothing to carry here.
fn propagates(variables: &Variables<'_>) -> Result<bool, SettingError> {
    const NAME: &str = "OTEL_PROPAGATORS";
    let Some(text) = variables.text(NAME)? else { return Ok(true) };
    let names: Vec<_> = listed(&text).collect();
    match names[..] {
        ["none"] => Ok(false),
        _ if names.contains(&"tracecontext") => Ok(true),
        _ => Err(SettingError::new(
            NAME,
            format!("{text:?} lacks tracecontext, which is how calls are followed here: add it, or write none"),
        )),
    }
}

#[cfg(test)]
mod tests;
