//! Whatever a variable is set to, the process does not panic.

use super::*;

/// What somebody may have set a variable to, by mistake or by malice.
const ODD: [&str; 50] = [
    "",
    " ",
    "\n",
    "\t",
    "a\n",
    "a\r\nb: c",
    " a",
    "a ",
    "a b",
    "\u{7f}",
    "\u{1}",
    "é",
    "日本",
    "\u{202e}",
    "😀",
    "%",
    "%zz",
    "%00",
    "?",
    "#",
    "@",
    "a@b",
    "/",
    "//",
    "///",
    "..",
    "../..",
    "\\",
    ":",
    "::",
    ":0",
    "[",
    "[::1]",
    "[::1]:x",
    "http://",
    "http:///",
    "http://a:b",
    "http://[",
    "https://1.2.3.4.5",
    "http://a..b",
    "http://xn--a",
    "http://a\u{ad}b",
    "ftp://a",
    "s3://a",
    "true",
    "0",
    "-1",
    "18446744073709551616",
    "1e400",
    "127.0.0.1:9000",
];

/// Every variable of S3, at each odd value: an error with its name, or a client that fails as one does that has no
/// store.
#[tokio::test]
async fn no_variable_can_panic_the_process() {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_METADATA_ENDPOINT",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SKIP_SIGNATURE",
        "AWS_ALLOW_HTTP",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AWS_S3_EXPRESS",
        "AWS_UNSIGNED_PAYLOAD",
        "AWS_CHECKSUM_ALGORITHM",
        "AWS_REQUEST_PAYER",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SSE_KMS_KEY_ID",
        "AWS_SSE_CUSTOMER_KEY_BASE64",
        "AWS_PROXY_URL",
        "AWS_PROXY_EXCLUDES",
        "AWS_PROXY_CA_CERTIFICATE",
        "AWS_USER_AGENT",
        "AWS_DEFAULT_CONTENT_TYPE",
        "AWS_POOL_IDLE_TIMEOUT",
        "AWS_HTTP2_MAX_FRAME_SIZE",
        "AWS_COPY_IF_NOT_EXISTS",
    ];
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut accepted = 0;
    for name in names {
        for value in ODD {
            let sound = [
                ("AWS_ENDPOINT_URL_S3", format!("http://{closed}")),
                ("AWS_ACCESS_KEY_ID", "id".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ];
            let others = sound.into_iter().filter(|(other, _)| *other != name);
            let all = others.map(|(name, value)| (name.into(), value.into())).chain([(name.into(), value.into())]);
            let settings = match Settings::read(all) {
                Ok(settings) => settings,
                Err(error) => {
                    assert!(error.to_string().starts_with(name), "{name}={value:?}: {error}");
                    continue;
                }
            };
            let Ok(bucket) = Bucket::open("photos", "", &StoreOptions::default(), &settings) else { continue };
            accepted += 1;
            // Long enough to make a request and to sign it.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(2), bucket.list(None)).await;
        }
    }
    assert!(accepted > 100, "{accepted}");
}
