//! One seed gives one head, to the bit, whatever the order in which features arrive, and from servers as from a folder.

use headwater_tests::{Data, ServerOptions, run};

#[test]
fn the_same_seed_gives_the_same_head_from_servers_and_from_the_folder_that_extract_filled() {
    let data = Data::photos().unwrap();
    let start = |part: &str| {
        let options = ServerOptions::new(&data.photos).arg("--partition").arg(part);
        options.model("model", &data.model, &data.recipe).start().unwrap()
    };
    let (one, two) = (start("1/2"), start("2/2"));
    let servers = format!("{},{}", one.address(), two.address());
    let from_servers = ["--servers", &servers, "--dataset", "photos", "--model", "model"];
    let file = |name: &str| data.scratch.path().join(name).display().to_string();
    let (features, from_folder) = (file("features"), ["--features", &file("features")].map(str::to_owned));
    let extract = [&["extract"], &from_servers[..], &["--part-rows", "64", "--json", "--out", &features]].concat();
    run("tuner", extract).unwrap().success().unwrap();

    let from_folder: Vec<_> = from_folder.iter().map(String::as_str).collect();
    // With and without room for all features: which ones are kept must not depend on where they come from either.
    for memory in ["1GiB", "64KiB"] {
        let mut heads = Vec::new();
        for (name, from) in [("a", &from_servers[..]), ("b", &from_servers), ("c", &from_folder)] {
            let head = file(name);
            let settings = ["--seed", "7", "--epochs", "4", "--validation-fraction", "0.05", "--replay-memory", memory];
            let arguments = [&["fine-tune"], from, &settings, &["--json", "--out", &head]].concat();
            let summary = run("tuner", arguments).unwrap().success().unwrap().json().unwrap();
            assert_eq!((&summary["seed"], summary["dataset_digest"].is_string()), (&7.into(), true));
            heads.push(std::fs::read(head).unwrap());
        }
        assert!(heads[0] == heads[1], "{memory}: another head from the same servers");
        assert!(heads[0] == heads[2], "{memory}: another head from the folder than from the servers");
    }
}

#[test]
fn more_runs_than_samples_are_refused() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).model("model", &data.model, &data.recipe).start().unwrap();
    let out = data.scratch.path().join("head.onnx").display().to_string();
    let arguments = ["fine-tune", "--servers", &server.address(), "--dataset", "photos", "--model", "model"];
    let refused = run("tuner", arguments.iter().chain(&["--runs", "5000", "--out", &out])).unwrap();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--runs 5000 of ") && refused.stderr.contains("or fewer"), "{}", refused.stderr);
}
