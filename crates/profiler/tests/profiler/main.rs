//! The program as its users run it, against servers that do as they are told.

#[cfg(test)]
#[path = "../../../client/tests/client/fake.rs"]
#[expect(dead_code, reason = "the client's own tests use more of it")]
mod fake;

#[cfg(test)]
mod fetch;
#[cfg(test)]
mod recipe;
