//! The name of the setting that says where an output goes.

use std::borrow::Cow;

/// The setting as people give it: `--out`.
pub(crate) type Setting = Cow<'static, str>;
