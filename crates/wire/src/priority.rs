//! Priorities as they travel.

use headwater_types::Priority;

use crate::proto;
use crate::status::Invalid;

/// The priority of a call: normal where it says none.
pub(crate) fn priority_from(number: i32) -> Result<Priority, Invalid> {
    match proto::Priority::try_from(number) {
        Ok(proto::Priority::Unspecified | proto::Priority::Normal) => Ok(Priority::Normal),
        Ok(proto::Priority::High) => Ok(Priority::High),
        Ok(proto::Priority::Low) => Ok(Priority::Low),
        Err(_) => Err(Invalid::new(format!("{number} is no priority"))),
    }
}

/// A priority's number. What a server does ahead of need counts at another server as low work, like that of a client.
pub(crate) fn number_of(priority: Priority) -> i32 {
    let priority = match priority {
        Priority::High => proto::Priority::High,
        Priority::Normal => proto::Priority::Normal,
        Priority::Low | Priority::Background => proto::Priority::Low,
    };
    priority.into()
}
