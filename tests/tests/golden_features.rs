//! Features of real photos are those that the model's makers would get.

use std::path::Path;

use headwater_testdata::shared_data;
use headwater_tests::{Array, Data, ServerOptions, fetch, read_npy};
use serde_json::Value;
use tempfile::TempDir;

fn cosine(a: &Array, b: &Array) -> f64 {
    let dot = |a: &Array, b: &Array| a.values().zip(b.values()).map(|(a, b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn features_from_the_jpeg_point_where_the_golden_ones_do() {
    let Some(shared) = shared_data() else { return };
    let models = shared.join("models");
    let golden: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(models.join("golden/golden.json")).unwrap()).unwrap();
    let mut checked = 0;
    for (name, recipe) in [("mobilenet_v2_1.0_224", "mobilenet-eval"), ("mobilenet_v1_0.25_128", "128")] {
        for case in golden.iter().filter(|case| case["model"] == name) {
            let image = Path::new(case["image"].as_str().unwrap());
            let scratch = TempDir::new().unwrap();
            let recipe = match recipe {
                "128" => {
                    let file = scratch.path().join("recipe.toml");
                    let text =
                        include_str!("../../profiles/recipes/mobilenet-eval.toml").replace("224, 224", "128, 128");
                    std::fs::write(&file, text).unwrap();
                    file.display().to_string()
                }
                named => named.to_owned(),
            };
            let photos = scratch.path().join("photos");
            std::fs::create_dir(&photos).unwrap();
            std::fs::copy(shared.join(image), photos.join(image.file_name().unwrap())).unwrap();
            let server = ServerOptions::new(&photos)
                .arg("--max-batch")
                .arg("1")
                .model("model", &models.join(format!("{name}.onnx")), &recipe)
                .start()
                .unwrap();
            let out = scratch.path().join("out");
            let fetched = fetch(&[server.address()], &out, &["--cut", "features", "--model", "model"]).unwrap();
            let expected = read_npy(&models.join(format!("golden/{name}.{}.features.npy", case["case"]))).unwrap();
            let cosine = cosine(&fetched.arrays[&0], &expected);
            assert!(cosine >= 0.999, "{name} {}: {cosine}", image.display());
            checked += 1;
        }
    }
    assert_eq!(checked, 4);
}

#[test]
fn features_are_the_same_in_any_batch_and_on_any_server() {
    let data = Data::photos().unwrap();
    let start = |batch: &str| {
        ServerOptions::new(&data.photos)
            .arg("--max-batch")
            .arg(batch)
            .model("model", &data.model, &data.recipe)
            .start()
            .unwrap()
    };
    let (single, batched) = (start("1"), start("16"));
    let [one, many] = [&single, &batched].map(|server| {
        let out = TempDir::new().unwrap();
        fetch(&[server.address()], out.path(), &["--cut", "features", "--model", "model", "--indices", "0-63"]).unwrap()
    });
    assert_eq!(one.arrays.len(), 64);
    for (index, array) in &one.arrays {
        let cosine = cosine(array, &many.arrays[index]);
        assert!(cosine > 0.99999, "sample {index}: {cosine}");
    }
}
