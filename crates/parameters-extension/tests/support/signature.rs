//! Signature version 4 as AWS's documents describe it, worked out again from what came over the wire.

use sha2::{Digest, Sha256};

use super::service::Call;

/// Asserts that the call's signature is the one that its headers and body must have under `secret`.
pub(crate) fn verify(call: &Call, secret: &str, region: &str, service: &str) {
    let authorization = call.header("authorization");
    let field = |name: &str| {
        let start = authorization.find(name).expect("a field of the authorization") + name.len();
        authorization[start..].split(',').next().expect("its value").trim()
    };
    let signed_headers = field("SignedHeaders=");
    let headers: String =
        signed_headers.split(';').map(|name| format!("{name}:{}\n", call.header(name))).collect();
    let canonical = format!("POST\n/\n\n{headers}\n{signed_headers}\n{}", hex(&Sha256::digest(&call.body)));

    let time = call.header("x-amz-date");
    let date = &time[..8];
    let scope = format!("{date}/{region}/{service}/aws4_request");
    assert_eq!(field("Credential="), format!("AKIDEXAMPLE/{scope}"));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    assert_eq!(field("Signature="), hex(&hmac(&key, to_sign.as_bytes())));
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    assert!(key.len() <= BLOCK, "longer keys are hashed first");
    let padded =
        |pad: u8| -> Vec<u8> { (0..BLOCK).map(|index| key.get(index).copied().unwrap_or(0) ^ pad).collect() };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
