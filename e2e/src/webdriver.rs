//! A `WebDriver` session over plain HTTP: the few commands that the browser tests need.

mod driver;

use std::fs;
use std::path::Path;
use std::time::Duration;

use bench::clock::wait_for;
use bench::http::Connection;
use serde_json::{Value, json};

pub(crate) use driver::Driver;

use crate::claims::Broken;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Flags for Chromium without a screen, without a sandbox (containers have none) and without talk
/// to its maker.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
];

/// The key under which `WebDriver` hands out an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser window. Closed when dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    connection: Connection,
    base: String,
}

impl Browser {
    /// Opens a window.
    pub(crate) fn open(driver: &Driver) -> Result<Self, Broken> {
        let mut connection = Connection::new(driver.address(), PATIENCE);
        let capabilities = json!({
            "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "args": FLAGS },
            } },
        });
        let body = capabilities.to_string().into_bytes();
        let response = connection.request(
            "POST",
            "/session",
            &[("content-type", "application/json")],
            &body,
        )?;
        let answer = response.json();
        let session = answer.pointer("/value/sessionId").and_then(Value::as_str);
        let session = session.ok_or_else(|| format!("no browser session: {answer}"))?;
        Ok(Self {
            connection,
            base: format!("/session/{session}"),
        })
    }

    /// Sends one command and returns its value.
    fn command(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, Broken> {
        let path = format!("{}{path}", self.base);
        let body = if method == "GET" {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let response = self.connection.request(
            method,
            &path,
            &[("content-type", "application/json")],
            &body,
        )?;
        let mut answer = response.json();
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        if response.status == 200 {
            return Ok(value);
        }
        let message = value
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Err(format!("{method} {path}: {message}").into())
    }

    /// Loads a page and waits until it is there.
    pub(crate) fn go(&mut self, url: &str) -> Result<(), Broken> {
        self.command("POST", "/url", &json!({ "url": url }))
            .map(drop)
    }

    /// Runs a function body in the page and returns its value.
    pub(crate) fn script(&mut self, code: &str, arguments: &[Value]) -> Result<Value, Broken> {
        self.command(
            "POST",
            "/execute/sync",
            &json!({ "script": code, "args": arguments }),
        )
    }

    /// Runs a function body whose last argument is called with the result.
    pub(crate) fn script_async(&mut self, code: &str) -> Result<Value, Broken> {
        self.command(
            "POST",
            "/execute/async",
            &json!({ "script": code, "args": [] }),
        )
    }

    /// The text that a reader sees in the first element that matches.
    pub(crate) fn text(&mut self, selector: &str) -> Result<String, Broken> {
        let code = "const found = document.querySelector(arguments[0]); return found ? found.innerText : null";
        let value = self.script(code, &[json!(selector)])?;
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("nothing matches {selector}").into())
    }

    /// Waits until the script returns something true.
    pub(crate) fn wait_until(&mut self, what: &str, code: &str) -> Result<(), Broken> {
        let seen = wait_for(Duration::from_secs(10), || {
            self.script(code, &[])
                .ok()
                .filter(|value| *value == Value::Bool(true))
        });
        seen.map(drop)
            .ok_or_else(|| format!("did not happen in 10 s: {what}").into())
    }

    /// Chooses a file in a file input.
    pub(crate) fn choose(&mut self, selector: &str, file: &Path) -> Result<(), Broken> {
        let found = self.command(
            "POST",
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        )?;
        let element = found
            .get(ELEMENT)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let path = fs::canonicalize(file)?;
        self.command(
            "POST",
            &format!("/element/{element}/value"),
            &json!({ "text": path }),
        )
        .map(drop)
    }

    /// A command of Chromium's own.
    pub(crate) fn devtools(&mut self, command: &str, parameters: &Value) -> Result<Value, Broken> {
        self.command(
            "POST",
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    /// Makes the page so wide, in CSS pixels.
    pub(crate) fn width(&mut self, width: u32) -> Result<(), Broken> {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics)
            .map(drop)
    }

    /// Shows the page in the dark or the light scheme.
    pub(crate) fn scheme(&mut self, scheme: &str) -> Result<(), Broken> {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features)
            .map(drop)
    }

    /// A picture of the whole page.
    pub(crate) fn screenshot(&mut self, file: &Path) -> Result<(), Broken> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", &parameters)?;
        let encoded = picture
            .get("data")
            .and_then(Value::as_str)
            .unwrap_or_default();
        fs::write(file, driver::base64(encoded)?)?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browsers with itself; this only makes it sooner.
        drop(self.command("DELETE", "", &json!({})));
    }
}
