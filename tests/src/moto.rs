//! An S3-compatible store: the server of PyPI's `moto`, with a folder's files in a bucket.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use headwater_testdata::python;

use crate::server::ServerOptions;

/// The files of a folder in the bucket `bucket` under `some/prefix/`; prints its address, and serves until its input
/// ends.
const STORE: &str = r"
import logging, pathlib, sys
logging.disable(logging.CRITICAL)
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f'http://{host}:{port}'
keys = {'aws_access_key_id': 'test', 'aws_secret_access_key': 'test'}
s3 = boto3.client('s3', endpoint_url=address, region_name='us-east-1', **keys)
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

/// Where a server finds the files.
pub const BUCKET: &str = "s3://bucket/some/prefix";

/// A store that runs; ended when dropped.
pub struct Moto {
    process: Child,
    address: String,
}

// === impl Moto ===

impl Moto {
    /// Starts one with these files; `None` where there is no Python for it.
    ///
    /// # Errors
    /// A Python that has no `moto[server]`.
    pub fn start(files: &Path) -> Result<Option<Self>> {
        let Some(python) = python() else { return Ok(None) };
        let mut process = Command::new(python)
            .args(["-c", STORE])
            .arg(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting moto")?;
        let mut address = String::new();
        let output = process.stdout.take().context("no output of moto")?;
        BufReader::new(output).read_line(&mut address)?;
        let moto = Self { process, address: address.trim().to_owned() };
        if !moto.address.starts_with("http") {
            bail!("moto did not start: is moto[server] installed?");
        }
        Ok(Some(moto))
    }

    /// A storage server of a place in this store.
    pub fn serve(&self, place: &str) -> ServerOptions {
        let variables = self.variables();
        variables
            .into_iter()
            .fold(ServerOptions::new(place.as_ref()), |server, (name, value)| server.variable(name, value))
    }

    /// The variables by which programs find this store.
    pub fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("AWS_ENDPOINT_URL", &self.address),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ]
    }

    /// The server's address, such as `http://127.0.0.1:40000`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
