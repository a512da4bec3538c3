//! Whose spans they are.

use crate::error::SettingError;
use crate::settings::list::pairs;
use crate::settings::variables::Variables;

/// Whose spans they are: keys and values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource(pub(crate) Vec<(String, String)>);

const NAME: &str = "service.name";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

// === impl Resource ===

impl Resource {
    /// A name of its own wins over one among the attributes, and that over the program's.
    pub(super) fn read(program: &str, variables: &Variables<'_>) -> Result<Self, SettingError> {
        let text = variables.text(ATTRIBUTES)?.unwrap_or_default();
        let mut given = pairs(ATTRIBUTES, &text)?;
        let known = [
            (NAME, program),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("telemetry.sdk.name", "headwater"),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        if let Some(name) = variables.text("OTEL_SERVICE_NAME")? {
            given.retain(|(key, _)| key != NAME);
            given.push((NAME.to_owned(), name));
        }
        let missing = known.iter().filter(|(key, _)| !given.iter().any(|(given, _)| given == key));
        let missing: Vec<_> = missing.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        given.extend(missing);
        given.push(("process.pid".to_owned(), std::process::id().to_string()));
        Ok(Self(given))
    }
}
