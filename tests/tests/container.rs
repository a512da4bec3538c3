//! `Containerfile` makes the image that deploy/kubernetes names, of what is in the repository. Building it takes a
//! container tool and minutes: what can go out of step is checked here, and its one long step, `scripts/install`, in
//! `install.rs`.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::process::Command;

use headwater_tests::root;

/// The lines of Containerfile, without comments, continued lines joined.
fn instructions() -> Vec<String> {
    let text = fs::read_to_string(root().join("Containerfile")).unwrap().replace("\\\n", " ");
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect()
}

fn words(instruction: &str) -> Vec<&str> {
    instruction.split_whitespace().collect()
}

#[test]
fn the_image_is_the_one_that_the_manifest_names() {
    let manifest = fs::read_to_string(root().join("deploy/kubernetes/storage-server.yaml")).unwrap();
    let image = format!("headwater:{}", env!("CARGO_PKG_VERSION"));
    assert!(manifest.contains(&format!("image: {image} ")), "the manifest does not name {image}");
    let file = fs::read_to_string(root().join("Containerfile")).unwrap();
    assert!(file.contains(&format!("docker build -t {image} ")), "Containerfile does not say how to build {image}");
    let user = manifest.lines().find_map(|line| line.trim().strip_prefix("runAsUser: ")).unwrap();
    assert!(instructions().contains(&format!("USER {user}:{user}")), "the image's user is not the manifest's {user}");
    assert!(manifest.contains("args: [storage-server, serve]"));
    assert!(!instructions().iter().any(|line| line.starts_with("ENTRYPOINT")), "the manifest's args start the program");
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_toolchain_file() {
    let toolchain: toml::Table = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap().parse().unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let lines = instructions();
    assert!(lines.contains(&format!("ENV RUSTUP_TOOLCHAIN={channel}")), "{lines:?}");
    let froms: Vec<_> = lines.iter().filter(|line| line.starts_with("FROM ")).map(|line| words(line)[1]).collect();
    let [build, run] = froms.as_slice() else { panic!("two stages were expected: {froms:?}") };
    // One Debian for both, so that what is linked in the first is there in the second.
    let debian = build.strip_prefix(&format!("rust:{channel}-slim-")).unwrap();
    assert_eq!(*run, format!("debian:{debian}-slim"));
}

#[test]
fn the_image_copies_and_runs_only_what_is_there() {
    let lines = instructions();
    let installs: Vec<_> = lines.iter().filter(|line| line.starts_with("RUN scripts/")).collect();
    let [install] = installs.as_slice() else { panic!("one script was expected: {installs:?}") };
    let help = Command::new(root().join("scripts/install")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in words(install).into_iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "scripts/install has no {flag}");
    }
    let prefix = words(install)[3];
    assert!(lines.iter().any(|line| words(line)[..] == ["COPY", "--from=build", prefix, "/usr/local"]), "{lines:?}");
    // Everything that scripts/install needs is in what is sent to the builder.
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    for needed in
        ["crates", "proto", "profiles", "python", "tests", "scripts", "deploy", "LICENSE", "THIRD-PARTY-NOTICES"]
    {
        assert!(root().join(needed).exists(), "{needed} is not there");
        assert!(!ignored.lines().any(|line| line == needed), ".dockerignore leaves out {needed}");
    }
    // The packages that scripts/lib/setup.sh would install are there before.
    let setup = fs::read_to_string(root().join("scripts/lib/setup.sh")).unwrap();
    let packages =
        setup.lines().filter(|line| line.trim_start().starts_with("local packages=(") || line.contains("packages+=("));
    for package in packages.flat_map(|line| line.split(['(', ')']).nth(1).unwrap_or_default().split_whitespace()) {
        assert!(lines.iter().any(|line| words(line).contains(&package)), "the image does not install {package}");
    }
}
