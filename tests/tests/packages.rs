//! What `scripts/package` makes is in step with the programs: versions, settings, units, completions and man pages.
//! That the packages install and run, `scripts/check-packages` tries.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

#[path = "common/commands.rs"]
#[expect(dead_code, reason = "other tests parse command lines too")]
mod commands;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use headwater_tests::{program, root, run};
use tempfile::TempDir;

use commands::programs;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What a line of bash prints, with the functions of these files.
fn bash(sources: &[&str], line: &str) -> String {
    let sources: String = sources.iter().map(|source| format!("source scripts/lib/{source}; ")).collect();
    let script = format!("{sources}{line}");
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_subcommand_has_a_man_page_and_every_flag_a_completion() {
    let folder = TempDir::new().unwrap();
    let bin = program("tuner");
    bash(
        &["setup.sh", "pages.sh"],
        &format!("make_pages '{}' '{}'", bin.parent().unwrap().display(), folder.path().display()),
    );
    let mut expected = BTreeSet::new();
    for program in programs() {
        let shells =
            ["bash-completion/completions/NAME", "zsh/site-functions/_NAME", "fish/vendor_completions.d/NAME.fish"]
                .map(|place| fs::read_to_string(folder.path().join(place.replace("NAME", program.name))).unwrap());
        for (path, command) in program.commands() {
            // `help` names the other commands once more, and has no page.
            if path.first().is_some_and(|name| name == "help") || path.iter().any(|name| name == "help") {
                continue;
            }
            expected.insert(format!("{}.1", [&[program.name.to_owned()], &path[..]].concat().join("-")));
            let flags = command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long());
            let words = path.last().map(String::as_str).into_iter().chain(flags);
            for word in words {
                let missing: Vec<_> = shells.iter().enumerate().filter(|(_, script)| !script.contains(word)).collect();
                assert!(missing.is_empty(), "{} {path:?}: {word} is missing in {} shells", program.name, missing.len());
            }
        }
    }
    let pages = fs::read_dir(folder.path().join("man/man1")).unwrap();
    let made: BTreeSet<String> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(made.iter().filter(|page| !page.contains("-help")).cloned().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_chart_has_the_version_the_image_and_the_user_of_the_programs() {
    let version = env!("CARGO_PKG_VERSION");
    let chart = text("deploy/helm/headwater/Chart.yaml");
    for key in ["version", "appVersion"] {
        assert!(chart.contains(&format!("\n{key}: {version}\n")), "Chart.yaml: {key} is not {version}");
    }
    let pods = text("deploy/helm/headwater/templates/statefulset.yaml");
    let manifest = text("deploy/kubernetes/storage-server.yaml");
    let container = text("Containerfile");
    let user = pods.lines().find_map(|line| line.trim().strip_prefix("runAsUser: ")).unwrap();
    assert!(container.contains(&format!("\nUSER {user}:{user}\n")), "the image's user is not the chart's {user}");
    let values = text("deploy/helm/headwater/values.yaml");
    let repository = values.lines().find_map(|line| line.trim().strip_prefix("repository: ")).unwrap();
    assert!(manifest.contains(&format!("image: {repository}:{version} ")), "the manifest's image is another");
    let built = format!("docker build -t {repository}:{version} ");
    assert!(text("README.md").contains(&built), "README.md does not say {built:?}");
    for shared in ["args: [storage-server, serve]", "readOnlyRootFilesystem: true", "capabilities: { drop: [ALL] }"] {
        assert!(pods.contains(shared) && manifest.contains(shared), "{shared}");
    }
    for port in ["7440", "9464"] {
        assert!(container.lines().any(|line| line.starts_with("EXPOSE ") && line.contains(port)));
        assert!(
            pods.contains(&format!("containerPort: {port}")) && manifest.contains(&format!("containerPort: {port}"))
        );
    }
}

#[test]
fn the_packages_unit_is_the_installed_one_for_another_place_and_account() {
    let installed = text("deploy/systemd/headwater-storage-server.service");
    let packaged = bash(&["setup.sh", "debian.sh"], "deb_unit");
    let settings = |unit: &str| -> BTreeSet<String> {
        unit.lines().filter(|line| line.contains('=') && !line.starts_with('#')).map(str::to_owned).collect()
    };
    let (ours, theirs) = (settings(&installed), settings(&packaged));
    let changed: Vec<_> = theirs.difference(&ours).map(String::as_str).collect();
    let serve = "ExecStart=/usr/bin/storage-server serve --config /etc/headwater/server.toml";
    assert_eq!(changed, [serve, "User=headwater"]);
    assert_eq!(ours.difference(&theirs).count(), 2, "{ours:?}");
    assert!(packaged.starts_with("[Unit]\n"), "{packaged}");
}

#[test]
fn the_settings_that_are_installed_are_right_where_the_photos_are_there() {
    let folder = TempDir::new().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for path in ["deploy/server.toml", "deploy/debian/server.toml"] {
        let settings = folder.path().join("server.toml");
        let here = |place: &str| format!("\"{}\"", folder.path().join(place).display());
        let text = text(path)
            .replace("\"/srv/photos\"", &here("photos"))
            .replace("\"/var/lib/headwater\"", &here("state"))
            .replace("\"/var/cache/headwater\"", &here("cache"))
            .replace(":7440\"", ":0\"")
            .replace(":9464\"", ":0\"");
        assert!(!text.contains("\"/var/"), "{text}");
        fs::write(&settings, text).unwrap();
        let checked =
            run("storage-server", ["serve", "--config", settings.to_str().unwrap(), "--check-config"]).unwrap();
        assert_eq!(checked.code, Some(0), "{path}: {}{}", checked.stdout, checked.stderr);
        assert!(!checked.stderr.contains("warning"), "{path}: {}", checked.stderr);
    }
}

#[test]
fn the_debian_packages_scripts_run_and_refuse_what_they_do_not_know() {
    for script in ["postinst", "prerm", "postrm"] {
        let path = root().join("deploy/debian").join(script);
        assert!(is_executable(&path), "{}", path.display());
        let refused = Command::new(&path).arg("dance").output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{script}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("unknown argument dance"), "{script}");
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o111 == 0o111
}
