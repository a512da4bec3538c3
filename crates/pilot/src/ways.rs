//! Which ways are measured.

use headwater_types::{Form, Way};

use crate::target::Target;

/// Every way to the target that is allowed; `encoded` always is, since a sample must be able to travel from a server
/// without cores. Features are measured as they are: coding pays for the tensors within a network, and not behind it.
pub fn ways_between<'a>(target: impl Into<Target<'a>>, allowed: impl Fn(Way) -> bool) -> Vec<Way> {
    let model = target.into().model();
    let leads_there = |way: &Way| !way.is_features() || *way == Way::FEATURES && model.is_some();
    Way::all().filter(leads_there).filter(|&way| way == Way::ENCODED || allowed(way)).collect()
}

/// Whether the pixels of this way travel as floats only, and not as the u8 pixels that they are made from.
pub(crate) fn travels_as_floats(way: Way) -> bool {
    way.cut().form() == Form::Floats
}
