//! Chromium without a screen, driven through its driver: W3C's WebDriver, in JSON over HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::send_json;

/// What the driver says once it listens.
const STARTED: &str = "started successfully on port ";

/// A browser with one tab; ended when dropped.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: TempDir,
}

// === impl Browser ===

impl Browser {
    /// Starts one; `None` where there is no driver.
    ///
    /// # Errors
    /// A driver or a browser that does not start.
    pub fn start() -> Result<Option<Self>> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let place = std::env::split_paths(&path).map(|folder| folder.join("chromedriver"));
        let Some(program) = place.into_iter().find(|program: &PathBuf| program.is_file()) else { return Ok(None) };
        let mut driver = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver")?;
        let said = BufReader::new(driver.stdout.take().context("no output of chromedriver")?).lines();
        let port = said
            .map_while(Result::ok)
            .find_map(|line| line.split_once(STARTED).map(|(_, port)| port.trim_end_matches('.').to_owned()));
        let profile = TempDir::new()?;
        let address = format!("127.0.0.1:{}", port.context("chromedriver does not say where it listens")?);
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let profile = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,900", &profile];
        let wanted = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        });
        let capabilities = json!({ "capabilities": { "alwaysMatch": wanted } });
        let session = send_json("POST", &browser.address, "/session", &capabilities)?;
        browser.session = session["value"]["sessionId"].as_str().context("no session")?.to_owned();
        Ok(Some(browser))
    }

    fn call(&self, path: &str, body: &Value) -> Result<Value> {
        let path = format!("/session/{}/{path}", self.session);
        Ok(send_json("POST", &self.address, &path, body)?["value"].clone())
    }

    /// Goes to a page.
    ///
    /// # Errors
    /// It cannot be loaded.
    pub fn open(&self, address: &str) -> Result<()> {
        self.call("url", &json!({ "url": address })).map(drop)
    }

    /// What a function's body returns in the page.
    ///
    /// # Errors
    /// It throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.call("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Presses and releases a key: WebDriver's character for it, or the letter itself.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn press(&self, key: char) -> Result<()> {
        let actions = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }));
        self.call("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] })).map(drop)
    }

    /// A command of the protocol of Chromium's own tools.
    ///
    /// # Errors
    /// There is no such command.
    pub fn command(&self, name: &str, parameters: &Value) -> Result<Value> {
        self.call("goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    /// What came to the console since this was asked last.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn console(&self) -> Result<Vec<Value>> {
        Ok(self.call("se/log", &json!({ "type": "browser" }))?.as_array().cloned().unwrap_or_default())
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn picture(&self) -> Result<Vec<u8>> {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.command("Page.captureScreenshot", &whole)?;
        decoded(picture["data"].as_str().context("no picture")?).context("a picture that is not in base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, the driver by its id.
        let path = format!("/session/{}", self.session);
        let _ = send_json("DELETE", &self.address, &path, &json!({}));
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Bytes out of base64; `None` where it is none.
fn decoded(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        (bits, held) = ((bits << 6 | value as u32) & 0xFFFF, held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    Some(bytes)
}
