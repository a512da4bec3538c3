//! A bucket is a dataset like a folder: same keys, labels and bits, with nothing but the standard variables.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use headwater_testdata::{PhotoSet, python};
use headwater_tests::{ServerOptions, fetch};
use tempfile::TempDir;

/// An S3-compatible store with a folder's files in the bucket `bucket` under `some/prefix/`; prints its address.
const STORE: &str = r"
import pathlib, sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f'http://{host}:{port}'
s3 = boto3.client('s3', endpoint_url=address, region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test')
s3.create_bucket(Bucket='bucket')
folder = pathlib.Path(sys.argv[1])
for path in folder.rglob('*'):
    if path.is_file():
        s3.upload_file(str(path), 'bucket', 'some/prefix/' + str(path.relative_to(folder)))
s3.put_object(Bucket='bucket', Key='elsewhere/a.jpg', Body=b'not of this dataset')
print(address, flush=True)
sys.stdin.read()
server.stop()
";

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_bucket_serves_what_its_folder_does() {
    let Some(python) = python() else {
        println!("no Python with moto: no S3-compatible store to ask");
        return;
    };
    let root = TempDir::new().unwrap();
    let photos = root.path().join("photos");
    PhotoSet { classes: 3, per_class: 8, ..PhotoSet::default() }.write(&photos).unwrap();
    let mut store = Killed(
        Command::new(python)
            .args(["-c", STORE])
            .arg(&photos)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut address = String::new();
    BufReader::new(store.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    assert!(address.starts_with("http"), "moto did not start: is moto[server] installed?");

    let folder = ServerOptions::new(&photos).start().unwrap();
    let bucket = ServerOptions::new("s3://bucket/some/prefix".as_ref())
        .variable("AWS_ENDPOINT_URL", address.trim())
        .variable("AWS_ACCESS_KEY_ID", "test")
        .variable("AWS_SECRET_ACCESS_KEY", "test")
        .variable("AWS_REGION", "us-east-1")
        .start()
        .unwrap();
    let [expected, actual] = [&folder, &bucket].map(|server| {
        let out = TempDir::new().unwrap();
        let further = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "0"];
        fetch(&[server.address()], out.path(), &further).unwrap()
    });
    assert_eq!(expected.arrays.len(), 24);
    assert_eq!(expected.samples, actual.samples);
    assert_eq!(expected.arrays, actual.arrays);
}
