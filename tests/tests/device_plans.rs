//! Device time is a resource of its own: of servers whose devices are made up, since no GPU is needed to plan for one.
//! What cannot be planned is refused with the fix.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use headwater_tests::{Data, Run, ServerOptions, run};
use serde_json::{Value, json};

/// A network, and what it costs at its cuts on this machine's cores.
struct Network {
    data: Data,
    measured: Value,
}

// === impl Network ===

impl Network {
    fn new() -> Self {
        let data = Data::photos().unwrap();
        let (model, recipe) = (data.model.display().to_string(), &data.recipe);
        let words = ["model", "--model", &model, "--recipe", recipe, "--seconds", "0.01", "--batches", "1", "--json"];
        let measured = run("profiler", words).unwrap().success().unwrap().json().unwrap();
        Self { data, measured }
    }

    fn plan(&self, profile: &Value, further: &[&str]) -> Run {
        let (model, path) = (self.data.model.display().to_string(), self.data.scratch.path().join("network.json"));
        std::fs::write(&path, profile.to_string()).unwrap();
        let profile = path.display().to_string();
        let fixed = ["plan", "--model", &model, "--profile", &profile, "--servers-up-to", "1", "--images", "1000"];
        run("tuner", [&fixed[..], further].concat()).unwrap()
    }

    /// The profile as servers with devices would have measured it: 0.1 s for the whole network, half of it for fronts.
    fn on_devices(&self) -> Value {
        let mut profile = self.measured.clone();
        for cut in profile["cuts"].as_array_mut().unwrap() {
            if cut["cut"] == "features" || !cut["tensor"].is_null() {
                cut["device_seconds"] = json!(if cut["cut"] == "features" { 0.1 } else { 0.05 });
            }
        }
        profile
    }
}

/// The best choice that makes whole features at the servers.
fn features(planned: &Value) -> Value {
    let choices = planned["by_cut"].as_array().unwrap();
    choices.iter().find(|choice| choice["cut"] == "features").unwrap().clone()
}

fn close(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value / expected - 1.0).abs() < 1e-9)
}

#[test]
fn a_network_is_cut_for_the_devices_that_servers_have() {
    let network = Network::new();
    let json = |profile: &Value, server: &str| -> Value {
        network.plan(profile, &["--server", server, "--json"]).success().unwrap().json().unwrap()
    };
    let plain = json(&network.measured, "cores=2");
    assert!(features(&plain)["stages"].get("device").is_none() && plain["estimated"] == false, "{plain}");
    // Two devices of 10 images a second take 50 s for a thousand; what fronts take is as of cores, which is said.
    let slow = json(&network.measured, "cores=2,devices=2,device-rate=10");
    let choice = features(&slow);
    assert!(close(&choice["stages"]["device"], 50.0), "{choice}");
    assert_eq!((&choice["waits_for"], &slow["estimated"]), (&json!("storage-device:0"), &json!(true)), "{slow}");
    let text = network.plan(&network.measured, &["--server", "devices=2,device-rate=10"]).success().unwrap().stdout;
    assert!(text.contains("  device  waits for") && text.contains("estimated from that of cores"), "{text}");
    // Measured on devices, they need no rate, and none is estimated.
    let measured = network.on_devices();
    let four = json(&measured, "cores=2,devices=4");
    assert!(close(&features(&four)["stages"]["device"], 25.0) && four["estimated"] == false, "{four}");
    let faster = json(&measured, "cores=2,devices=4,device-rate=20");
    assert!(close(&features(&faster)["stages"]["device"], 12.5), "{faster}");
}

#[test]
fn a_server_that_cannot_be_is_refused_with_the_fix() {
    let network = Network::new();
    for (server, code, words) in [
        ("devices=0,device-rate=5", 2, "leave it out where cores infer"),
        ("devices=257,device-rate=5", 2, "from 1 to 256"),
        ("devices=1,device-rate=-5", 2, "from 0.0001"),
        ("devices=1,device-rate=NaN", 2, "from 0.0001"),
        ("device-rate=5", 2, "devices=N"),
        ("devices=2", 2, "give device-rate=R"),
    ] {
        let said = network.plan(&network.measured, &["--server", server]);
        assert_eq!(said.code, Some(code), "{server}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{server}: {}", said.stderr);
    }
    let said = network.plan(&network.on_devices(), &["--server", "cores=2"]);
    assert!(said.code == Some(1) && said.stderr.contains("server 0 has none"), "{:?}: {}", said.code, said.stderr);
}

#[test]
fn a_profile_of_cores_plans_no_devices() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).model("m", &data.model, &data.recipe).start().unwrap();
    let at = |name: &str| data.scratch.path().join(name).display().to_string();
    let (address, profile, out, model) =
        (server.address(), at("p.parquet"), at("plan"), data.model.display().to_string());
    let models: Value = run("tuner", ["models", "--servers", &address, "--json"]).unwrap().json().unwrap();
    assert_eq!(models["servers"][0]["models"][0]["devices"], Value::Null, "{models}");
    let made = ["dataset", "--servers", &address, "--dataset", "photos", "--samples", "8", "--repeats", "1"];
    let of_model = ["--model", "m", "--extractor", &model, "--out", &profile];
    run("profiler", made.iter().chain(&of_model)).unwrap().success().unwrap();
    let plan = ["plan", "--profile", &profile, "--bandwidth", "1Gbps", "--out", &out];
    run("profiler", plan).unwrap().success().unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(!text.contains("device"), "{text}");
    for (further, words) in [
        (["--storage-devices", "2"], "no server ran a model on devices"),
        (["--storage-device-rate", "100"], "start the server with --model and --device"),
        (["--trainer-devices", "1"], "profile with --model, --extractor and --device"),
        (["--storage-devices", "0"], "profile such a server anew"),
        (["--storage-device-rate", "-1"], "samples a second"),
    ] {
        let said = run("profiler", plan.iter().chain(&further)).unwrap();
        assert_eq!(said.code, Some(2), "{further:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{further:?}: {}", said.stderr);
    }
}
