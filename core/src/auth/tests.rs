use std::format;
use std::string::String;
use std::vec::Vec;

use super::{Credentials, KeyVersion, hmac_base64};

// The known answers below are from Python:
// python3 -c 'import sys, hmac, hashlib, base64; key, text = sys.argv[1:];
// print(base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode())'
const SECRET: &str = "8c1d9a52-77f0-4b6e-a3c4-02e5f61b7d99";
const PASSPHRASE: &str = "blue-harbour-71";
const AT: u64 = 1_788_888_888_123;

#[test]
fn signs_time_method_path_and_body_as_one_text() {
    let order = r#"{"symbol":"LINKUSDTM","side":"sell","size":3}"#;
    for (method, path, body, expected) in [
        ("POST", "/api/v1/bullet-private", "", "s4dLYG9wsJSJCQKytzpyUVdN2daQzEBRus55eklzGZY="),
        ("POST", "/api/v1/orders", order, "hjYICvbhVy39Bs7aH9Ic+S9LCpqoBEV/uDqQEgEN+xg="),
        ("GET", "/api/v1/position", "", "3lCUX9yBeY/aekFyW6Fs/uvk6Q9YvmhDFv+A41YQVac="),
    ] {
        assert_eq!(header("KC-API-SIGN", method, path, body), expected, "{method} {path}");
    }
}

#[test]
fn the_query_is_signed_too() {
    let with_query = header("KC-API-SIGN", "GET", "/api/v1/position?symbol=LINKUSDTM", "");
    assert_eq!(with_query, "mAygyKI3+IsHGWWr1VjiBXzX8hQv89lw+HM+QiRnP5Q=");
}

#[test]
fn the_five_headers_of_a_key_of_either_version() {
    for (version, shown) in [(KeyVersion::V2, "2"), (KeyVersion::V3, "3")] {
        let signed = credentials(version).sign(AT, "POST", "/api/v1/bullet-private", "");
        let headers: Vec<_> = signed.iter().collect();
        assert_eq!(
            headers,
            [
                ("KC-API-KEY", "6710aa0b"),
                ("KC-API-SIGN", "s4dLYG9wsJSJCQKytzpyUVdN2daQzEBRus55eklzGZY="),
                ("KC-API-TIMESTAMP", "1788888888123"),
                ("KC-API-PASSPHRASE", "hK8cfCuXFU8ckJ90WBYzCdrkd0zf50p9qFiIAUwsqrk="),
                ("KC-API-KEY-VERSION", shown),
            ]
        );
    }
    assert_eq!(KeyVersion::default(), KeyVersion::V3, "what the exchange makes today");
}

#[test]
fn keys_of_any_length_sign() {
    assert_eq!(hmac_base64("", ""), "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0=");
    let longer_than_a_block = "k".repeat(200);
    let signed = hmac_base64(&longer_than_a_block, "x");
    assert_eq!(signed, "o0q9GwgedQkbXxVEf7RepqGn1iTBkLiAdQ1dD1LKcV4=");
}

#[test]
fn nothing_secret_is_ever_shown() {
    let credentials = credentials(KeyVersion::V2);
    let signed = credentials.sign(AT, "GET", "/api/v1/position", "");
    assert_eq!(format!("{credentials:?} {credentials:#?}"), "Credentials(..) Credentials(..)");
    assert_eq!(format!("{signed:?} {signed:#?}"), "SignedHeaders(..) SignedHeaders(..)");
}

fn credentials(version: KeyVersion) -> Credentials {
    Credentials::new("6710aa0b".into(), SECRET.into(), PASSPHRASE.into(), version)
}

fn header(name: &str, method: &str, path: &str, body: &str) -> String {
    let signed = credentials(KeyVersion::V3).sign(AT, method, path, body);
    let header = signed.iter().find(|(known, _)| *known == name);
    header.map(|(_, value)| value.into()).unwrap()
}
