//! What NVIDIA's driver says of this machine: its version, and the GPUs.
//!
//! It is read from files that the driver keeps, which takes no library. Nothing is decided by it but what an error
//! says, and whether an engine is one of this machine.

use std::fs;
use std::path::Path;

use crate::device::{Device, Gpu};

/// Where the driver says what it is.
const PLACE: &str = "/proc/driver/nvidia";

/// A driver that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Driver {
    /// The driver's own words of its version.
    pub(crate) version: String,
    /// The model of each GPU, in the order of their places on the bus: not always that of CUDA's numbers.
    pub(crate) gpus: Vec<String>,
}

// === impl Driver ===

impl Driver {
    /// The driver of this machine; `None` where none is loaded, or it cannot be seen from here.
    pub(crate) fn read() -> Option<Self> {
        Self::in_folder(PLACE.as_ref())
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        let version = fs::read_to_string(folder.join("version")).ok()?.lines().next()?.trim().to_owned();
        let mut cards: Vec<_> = fs::read_dir(folder.join("gpus")).ok()?.flatten().map(|card| card.path()).collect();
        cards.sort();
        let model_of = |card: &Path| {
            let facts = fs::read_to_string(card.join("information")).ok()?;
            let model = facts.lines().find_map(|line| line.strip_prefix("Model:"))?;
            Some(model.trim().to_owned())
        };
        let gpus = cards.iter().map(|card| model_of(card).unwrap_or_else(|| "unnamed".to_owned())).collect();
        Some(Self { version, gpus })
    }

    /// The model of a GPU as far as it is certain: where they are not all alike, every model of the machine with the
    /// GPU's number among those that the process sees.
    pub(crate) fn model_of(&self, gpu: Gpu, visible: &str) -> String {
        match &self.gpus[..] {
            [first, others @ ..] if others.iter().all(|other| other == first) => first.clone(),
            gpus => format!("number {} of [{visible}] of [{}]", gpu.0, gpus.join(", ")),
        }
    }
}

/// What a device lacks on this machine, as far as files show it, for the end of an error; empty where all that is
/// looked for is there. `library` is that of ONNX Runtime.
pub(crate) fn lacking(device: Device, library: &Path, driver: Option<&Driver>) -> String {
    let Some(Gpu(number)) = device.gpu() else { return String::new() };
    let mut lacking = Vec::new();
    match driver {
        None => lacking.push(format!("no NVIDIA driver is loaded, for there is no {PLACE}/version")),
        Some(Driver { gpus, .. }) if gpus.len() <= usize::from(number) => {
            lacking.push(format!("the driver has {} GPUs, counted from 0", gpus.len()));
        }
        Some(_) => {}
    }
    let providers: &[&str] = match device {
        Device::Cpu => &[],
        Device::Cuda(_) => &["cuda"],
        Device::TensorRt(_) => &["cuda", "tensorrt"],
    };
    for provider in providers {
        let file = format!("libonnxruntime_providers_{provider}.so");
        if !library.with_file_name(&file).is_file() {
            lacking.push(format!("{} is a build without {provider}, for {file} is not beside it", library.display()));
        }
    }
    match &lacking[..] {
        [] => String::new(),
        lacking => format!("; missing here: {}", lacking.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(models: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("version"), "NVRM version: NVIDIA Kernel Module  580.1\nGCC version: 12\n")
            .unwrap();
        for (card, model) in models.iter().enumerate() {
            let card = folder.path().join(format!("gpus/0000:0{card}:00.0"));
            fs::create_dir_all(&card).unwrap();
            fs::write(card.join("information"), format!("Model: \t\t {model}\nIRQ:   \t\t 5\n")).unwrap();
        }
        folder
    }

    #[test]
    fn a_driver_is_read_and_gpus_that_are_not_alike_are_told_apart_by_all_that_is_known() {
        let alike = machine(&["NVIDIA H200", "NVIDIA H200"]);
        let driver = Driver::in_folder(alike.path()).unwrap();
        assert_eq!(driver.version, "NVRM version: NVIDIA Kernel Module  580.1");
        assert_eq!(driver.model_of(Gpu(0), "1,0"), "NVIDIA H200");
        assert_eq!(driver.model_of(Gpu(0), "1,0"), driver.model_of(Gpu(1), ""));
        let mixed = Driver::in_folder(machine(&["Tesla T4", "NVIDIA H200"]).path()).unwrap();
        assert_ne!(mixed.model_of(Gpu(0), ""), mixed.model_of(Gpu(1), ""));
        assert_ne!(mixed.model_of(Gpu(0), "1"), mixed.model_of(Gpu(0), "0"));
        assert_eq!(Driver::in_folder(Path::new("/nonexistent")), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        let bare = lacking(Device::TensorRt(Gpu(0)), &library, None);
        for words in ["; missing here: no NVIDIA driver", "providers_cuda.so is not", "providers_tensorrt.so is not"] {
            assert!(bare.contains(words), "{bare}");
        }
        fs::write(folder.path().join("libonnxruntime_providers_cuda.so"), "").unwrap();
        let driver = Driver { version: "1".into(), gpus: vec!["NVIDIA H200".into()] };
        assert_eq!(lacking(Device::Cuda(Gpu(0)), &library, Some(&driver)), "");
        let beyond = lacking(Device::Cuda(Gpu(1)), &library, Some(&driver));
        assert_eq!(beyond, "; missing here: the driver has 1 GPUs, counted from 0");
        assert_eq!(lacking(Device::Cpu, &library, None), "");
    }
}
