//! The models of servers, and their versions: listed, pushed, activated and undone.

mod front;
mod list;
mod pieces;

mod push;
mod versions;

pub use list::{ServerModels, models};
pub use push::push_version;
pub use versions::{activate_model, model_standing, roll_back_model};
