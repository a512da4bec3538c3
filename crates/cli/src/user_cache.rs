//! Where a user's programs keep what can be made again.

use std::ffi::OsString;
use std::path::PathBuf;

/// `headwater` in the user's cache folder, by the XDG Base Directory Specification, where a relative path counts as
/// none; `None` for a user without a home.
pub fn user_cache() -> Option<PathBuf> {
    in_the_users_cache(|name| std::env::var_os(name))
}

fn in_the_users_cache(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("headwater"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_users_cache_folder_follows_xdg() {
        let with = |xdg: &str, home: &str| {
            let (xdg, home) = (OsString::from(xdg), OsString::from(home));
            in_the_users_cache(move |name| match name {
                "XDG_CACHE_HOME" => Some(xdg.clone()),
                "HOME" => Some(home.clone()),
                _ => None,
            })
        };
        assert_eq!(with("/var/cache", "/home/a").unwrap(), Path::new("/var/cache/headwater"));
        for not_absolute in ["", "cache"] {
            assert_eq!(with(not_absolute, "/home/a").unwrap(), Path::new("/home/a/.cache/headwater"));
        }
        assert_eq!(with("", ""), None);
    }
}
