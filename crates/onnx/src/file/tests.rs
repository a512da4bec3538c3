use std::os::unix::fs::symlink;

use headwater_types::Digest;
use headwater_types::caps::MAX_MODEL_BYTES;

use super::*;
use crate::graph::GraphBuilder;

const DATA: [u8; 12] = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// A folder with a model of two floats in `m.data`, behind four other bytes.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m.onnx");
    std::fs::write(&model, of_one("m.data", "4")).unwrap();
    std::fs::write(folder.path().join("m.data"), DATA).unwrap();
    (folder, model)
}

fn of_one(location: &str, offset: &str) -> Vec<u8> {
    let mut graph = GraphBuilder::new("file");
    graph.outside("w", &[2], &[("location", location), ("offset", offset)]);
    graph.finish()
}

fn refusal(model: &Path) -> String {
    read(model, MAX_MODEL_BYTES).unwrap_err().to_string()
}

#[test]
fn data_beside_a_model_are_taken_in_and_decide_of_its_digest() {
    let (folder, model) = folder();
    let whole = read(&model, MAX_MODEL_BYTES).unwrap();
    assert!(whole.windows(8).any(|window| window == &DATA[4..]));
    for (place, changes) in [(4, true), (11, true), (0, false)] {
        let mut data = DATA;
        data[place] ^= 1;
        std::fs::write(folder.path().join("m.data"), data).unwrap();
        let digest = Digest::of(&read(&model, MAX_MODEL_BYTES).unwrap());
        assert_eq!(digest != Digest::of(&whole), changes, "byte {place}, which belongs to a tensor from 4 on");
    }
    let one_file = folder.path().join("one.onnx");
    std::fs::write(&one_file, &whole).unwrap();
    assert_eq!(read(&one_file, MAX_MODEL_BYTES).unwrap(), whole);
}

#[test]
fn what_is_no_model_comes_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
    assert_eq!(read(&path, MAX_MODEL_BYTES).unwrap(), b"\x89PNG\r\n\x1a\n");
    assert!(matches!(read(&path, ByteCount::new(7)), Err(FileError::TooLarge { .. })));
    assert!(matches!(read(folder.path(), MAX_MODEL_BYTES), Err(FileError::Read { .. })));
}

#[test]
fn data_that_are_missing_cut_off_or_no_file_are_refused_by_name() {
    let (folder, model) = folder();
    let data = folder.path().join("m.data");
    std::fs::write(&data, &DATA[..11]).unwrap();
    let error = refusal(&model);
    assert!(error.contains("m.data, in which tensor \"w\" has its data: it has 11 bytes"), "{error}");
    std::fs::remove_file(&data).unwrap();
    assert!(refusal(&model).contains("there is no such file: copy it with the model"));
    std::fs::create_dir(&data).unwrap();
    assert!(refusal(&model).contains("it is no file"));
    std::fs::write(&model, of_one("../m.data", "0")).unwrap();
    let error = refusal(&model);
    assert!(error.contains("m.onnx: ") && error.contains("only files of the model's own folder"), "{error}");
    // Twelve bytes and the model are more than the limit.
    std::fs::write(&model, of_one("m.data", "0")).unwrap();
    let limit = ByteCount::new(std::fs::metadata(&model).unwrap().len() + 4);
    assert!(matches!(read(&model, limit), Err(FileError::Onnx { source: OnnxError::ExternalTooLarge { .. }, .. })));
}

#[test]
fn no_link_is_followed_to_data_and_a_pipe_holds_nobody_up() {
    let (folder, model) = folder();
    let (data, secret) = (folder.path().join("m.data"), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(secret.path(), DATA).unwrap();
    std::fs::remove_file(&data).unwrap();
    symlink(secret.path(), &data).unwrap();
    let error = refusal(&model);
    assert!(error.contains("it is a link") && error.contains("cp -L"), "{error}");
    std::fs::remove_file(&data).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &data, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(refusal(&model).contains("it is no file"));
    // The path that was given may lead through links: the folder is that of the path.
    let (target, through) = (tempfile::tempdir().unwrap(), folder.path().join("through"));
    std::fs::write(target.path().join("n.onnx"), of_one("n.data", "4")).unwrap();
    std::fs::write(target.path().join("n.data"), DATA).unwrap();
    symlink(target.path(), &through).unwrap();
    assert!(read(&through.join("n.onnx"), MAX_MODEL_BYTES).is_ok());
}
