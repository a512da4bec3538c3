//! Features of the golden inputs are the golden features.

use std::path::Path;

use headwater_features::{Extractor, ExtractorOptions, InputSettings, ModelSpec};
use headwater_types::Recipe;
use serde_json::Value;

use crate::support::{assert_close, options, runtime, shared_models};

/// A NumPy array of little-endian floats, and its shape.
fn npy(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    let shape = &header[header.find('(').unwrap() + 1..header.find(')').unwrap()];
    let shape = shape.split(',').filter_map(|axis| axis.trim().parse().ok()).collect();
    (shape, bytes[start..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect())
}

fn recipe_of(side: usize) -> Recipe {
    let text = Recipe::builtin("mobilenet-eval").unwrap().to_toml();
    Recipe::from_toml(&text.replace("[224, 224]", &format!("[{side}, {side}]"))).unwrap()
}

#[tokio::test]
async fn the_golden_inputs_give_the_golden_features() {
    let (Some(runtime), Some(models)) = (runtime(), shared_models()) else { return };
    let golden = models.join("golden");
    let cases: Value = serde_json::from_slice(&std::fs::read(golden.join("golden.json")).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let (model, number) = (case["model"].as_str().unwrap(), &case["case"]);
        let (shape, input) = npy(&golden.join(format!("{model}.{number}.input.npy")));
        let (_, features) = npy(&golden.join(format!("{model}.{number}.features.npy")));
        let path = models.join(format!("{model}.onnx"));
        let spec = ModelSpec {
            name: model.parse().unwrap(),
            path,
            recipe: "golden".into(),
            output: None,
            classes: None,
            input: InputSettings::default(),
        };
        let recipe = recipe_of(*shape.last().unwrap());
        let extractor = Extractor::open(&runtime, &spec, recipe, &ExtractorOptions { ..options() }).unwrap();
        assert_eq!(extractor.output(), "features");
        assert_eq!(extractor.feature_len(), features.len());
        // In a batch too: each sample must get the features that it gets alone.
        let company = vec![0.25; input.len()];
        let (alone, _, together) = tokio::join!(
            extractor.extract_tensor(input.clone()),
            extractor.extract_tensor(company),
            extractor.extract_tensor(input.clone()),
        );
        for extracted in [alone, together] {
            assert_close(&extracted.unwrap().features, &features, 1e-4);
        }
        println!("{model} case {number}: {} features", features.len());
    }
}
