//! Every token that is not in order is refused for what is wrong with it, and none by its words.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use headwater_access::Role;
use headwater_identity::{Identity, ProviderUrl, Refused, count_keys, judge};
use headwater_testdata::identity::{SigningKey, Signs};
use serde_json::{Value, json};

/// The time of these tests.
const NOW: u64 = 1_900_000_000;
const ISSUER: &str = "https://id.example.com/realms/ml";

/// Claims that are in order.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ["other", "headwater"], "sub": "trainer", "azp": "notebook", "exp": NOW + 300,
        "nbf": NOW - 10, "iat": NOW - 10, "roles": ["headwater:read"]
    })
}

/// The same with one other.
fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn without(claim: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn held_against(document: &str, token: &str, roles: &str) -> Result<Identity, Refused> {
    let issuer: ProviderUrl = ISSUER.parse().unwrap();
    let against = (document.as_bytes(), token.as_bytes());
    judge(against, (&issuer, "headwater"), &roles.parse().unwrap(), NOW).unwrap()
}

#[track_caller]
fn refused(key: &SigningKey, token: &str) -> Refused {
    let refused = held_against(&SigningKey::document(&[key]), token, "roles").unwrap_err();
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!refused.to_string().contains(part), "{refused}");
    }
    refused
}

#[test]
fn every_algorithm_that_is_taken_is_verified_and_a_changed_byte_is_not() {
    let all = [
        Signs::Rs(256),
        Signs::Rs(384),
        Signs::Rs(512),
        Signs::Ps(256),
        Signs::Ps(384),
        Signs::Ps(512),
        Signs::Es256,
        Signs::Es384,
        Signs::EdDsa,
    ];
    for signs in all {
        let [key, other] = [(); 2].map(|()| SigningKey::new(signs, "a").unwrap());
        let (document, token) = (SigningKey::document(&[&key]), key.token(&claims()).unwrap());
        let identity = held_against(&document, &token, "roles").unwrap();
        assert_eq!((identity.holder.as_str(), identity.subject.as_str()), ("sub:trainer,client:notebook", "trainer"));
        assert_eq!(identity.held.iter().map(|held| held.role).collect::<Vec<_>>(), [Role::Read]);
        assert_eq!(refused(&other, &token), Refused::Signature, "{signs:?}");
        // A byte of the claims, and one of the signature.
        let dots: Vec<_> = token.match_indices('.').map(|(at, _)| at).collect();
        for at in [dots[0] + 20, dots[1] + 20] {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(refused(&key, &changed), Refused::Signature, "{signs:?} at {at}");
        }
    }
}

#[test]
fn no_token_chooses_how_it_is_checked() {
    let rsa = SigningKey::new(Signs::Rs(256), "a").unwrap();
    let curve = SigningKey::new(Signs::Es256, "a").unwrap();
    let header = |alg: &str| json!({"alg": alg, "kid": "a"});
    for alg in ["none", "None", "HS256", "HS512", "RS1", "ES256K", "ES512", "", "rs256"] {
        let token = rsa.signed(&header(alg), &claims()).unwrap();
        assert_eq!(refused(&rsa, &token), Refused::Algorithm, "{alg}");
    }
    // Without a signature at all.
    let token = rsa.signed(&header("none"), &claims()).unwrap();
    let bare = token.rsplit_once('.').unwrap().0.to_owned() + ".";
    assert_eq!(refused(&rsa, &bare), Refused::Algorithm);
    // An algorithm of another kind of key, and another one of the same kind.
    for alg in ["ES256", "EdDSA", "PS256", "RS512"] {
        let token = rsa.signed(&header(alg), &claims()).unwrap();
        assert_eq!(refused(&rsa, &token), Refused::Mismatch, "{alg}");
    }
    let token = rsa.signed(&header("RS256"), &claims()).unwrap();
    assert_eq!(refused(&curve, &token), Refused::Mismatch);
    // A key that does not say its algorithm is for those of its kind.
    let mut open = rsa.public();
    open.as_object_mut().unwrap().remove("alg");
    let document = json!({"keys": [open]}).to_string();
    assert!(held_against(&document, &token, "roles").is_ok());
    let token = rsa.signed(&header("PS256"), &claims()).unwrap();
    assert_eq!(held_against(&document, &token, "roles"), Err(Refused::Signature));
}

#[test]
fn a_header_is_understood_whole_or_the_token_refused() {
    let key = SigningKey::new(Signs::Es256, "a").unwrap();
    let token = |header: Value| key.signed(&header, &claims()).unwrap();
    for header in [
        json!({"alg": "ES256", "kid": "a"}),
        json!({"alg": "ES256", "kid": "a", "typ": "at+jwt"}),
        json!({"alg": "ES256", "kid": "a", "typ": "application/at+JWT", "jku": "https://evil.example.com"}),
    ] {
        assert!(held_against(&SigningKey::document(&[&key]), &token(header), "roles").is_ok());
    }
    for (header, words) in [
        (json!({"alg": "ES256", "kid": "a", "crit": ["b64"], "b64": false}), "crit"),
        (json!({"alg": "ES256", "kid": "a", "cty": "JWT"}), "cty"),
        (json!({"alg": "ES256", "kid": "a", "typ": "logout+jwt"}), "typ"),
        (json!({"alg": 7, "kid": "a"}), "header"),
        (json!(["ES256"]), "header"),
        (json!({"kid": "a"}), "header"),
    ] {
        let refused = refused(&key, &token(header));
        assert!(matches!(refused, Refused::NoJwt(_)) && refused.to_string().contains(words), "{refused}");
    }
    for header in [json!({"alg": "ES256"}), json!({"alg": "ES256", "kid": ""})] {
        assert_eq!(refused(&key, &token(header)), Refused::NoKeyId);
    }
    assert_eq!(refused(&key, &token(json!({"alg": "ES256", "kid": "b"}))), Refused::UnknownKey);
    let good = key.token(&claims()).unwrap();
    for garbage in [
        String::new(),
        "a.b".to_owned(),
        "..".to_owned(),
        format!("{good}.x"),
        format!("{good}="),
        format!(" {good}"),
        good.replace('.', ".."),
        "x".repeat(9000),
        format!("{good}{}", "A".repeat(9000)),
        "e30.e30.e30.e30.e30".to_owned(),
    ] {
        assert!(matches!(refused(&key, &garbage), Refused::NoJwt(_)), "{garbage}");
    }
}

#[test]
fn claims_that_every_token_has_are_there_and_are_ours() {
    let key = SigningKey::new(Signs::Es256, "a").unwrap();
    for (claims, expected) in [
        (without("iss"), Refused::Claim("iss")),
        (with("iss", json!(7)), Refused::Claim("iss")),
        (with("iss", json!(format!("{ISSUER}/"))), Refused::Issuer),
        (without("aud"), Refused::Claim("aud")),
        (with("aud", json!({"headwater": 1})), Refused::Claim("aud")),
        (with("aud", json!("headwater2")), Refused::Audience),
        (with("aud", json!(["a", ["headwater"]])), Refused::Audience),
        (without("exp"), Refused::Claim("exp")),
        (with("exp", json!("never")), Refused::Claim("exp")),
        (with("nbf", json!([])), Refused::Claim("nbf")),
        (without("sub"), Refused::Claim("sub")),
        (with("sub", json!("")), Refused::Claim("sub")),
        (with("sub", json!("x".repeat(256))), Refused::Claim("sub")),
        // Half a minute, and no more.
        (with("exp", json!(NOW - 30)), Refused::Expired { seconds: 30 }),
        (with("exp", json!(0)), Refused::Expired { seconds: NOW }),
        (with("nbf", json!(NOW + 31)), Refused::NotYet { seconds: 31 }),
        (json!([1]), Refused::NoJwt("its claims cannot be read")),
    ] {
        assert_eq!(refused(&key, &key.token(&claims).unwrap()), expected, "{claims}");
    }
    let document = SigningKey::document(&[&key]);
    for claims in [
        with("exp", json!(NOW - 29)),
        with("exp", json!(NOW as f64 + 0.5)),
        with("nbf", json!(NOW + 30)),
        with("aud", json!("headwater")),
        without("nbf"),
    ] {
        assert!(held_against(&document, &key.token(&claims).unwrap(), "roles").is_ok(), "{claims}");
    }
}

#[test]
fn roles_come_by_the_claim_that_was_named_and_a_holder_makes_no_line_of_its_own() {
    let key = SigningKey::new(Signs::Es256, "a").unwrap();
    let document = SigningKey::document(&[&key]);
    let mut claims = with("sub", json!("eve\n2026 INFO by=operator,client:x"));
    claims["realm_access"] = json!({"roles": ["headwater:write:photos"]});
    let token = key.token(&claims).unwrap();
    let identity = held_against(&document, &token, "realm_access.roles").unwrap();
    assert_eq!(identity.holder, "sub:eve%0A2026%20INFO%20by=operator%2Cclient:x,client:notebook");
    assert_eq!(identity.held.iter().map(|held| held.role).collect::<Vec<_>>(), [Role::Write]);
    assert!(held_against(&document, &token, "groups").unwrap().held.is_empty());
    let token = key.token(&with("roles", json!(["headwater:owner\n"]))).unwrap();
    let refused = held_against(&document, &token, "roles").unwrap_err().to_string();
    for words in ["sub:trainer", "roles", "headwater:owner%0A", "headwater:admin"] {
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn keys_that_cannot_check_tokens_are_left_out_and_a_document_without_others_is_refused() {
    let [rsa, curve, edwards] =
        [Signs::Rs(256), Signs::Es384, Signs::EdDsa].map(|signs| SigningKey::new(signs, "a").unwrap());
    let changed = |key: &SigningKey, member: &str, value: Value| {
        let mut key = key.public();
        key[member] = value;
        key
    };
    let none = |key: &SigningKey, member: &str| {
        let mut key = key.public();
        key.as_object_mut().unwrap().remove(member);
        key
    };
    let unusable = [
        json!({"kty": "oct", "kid": "a", "k": "c2VjcmV0"}),
        json!("key"),
        json!(null),
        changed(&rsa, "use", json!("enc")),
        changed(&rsa, "key_ops", json!(["sign"])),
        changed(&rsa, "alg", json!("HS256")),
        changed(&rsa, "alg", json!("ES256")),
        changed(&rsa, "n", json!("AQAB")),
        changed(&rsa, "n", json!("not base64!")),
        changed(&rsa, "e", json!("AQ")),
        changed(&rsa, "e", json!("AQAAAAAB")),
        changed(&rsa, "e", json!("Ag")),
        none(&rsa, "n"),
        none(&rsa, "kid"),
        changed(&rsa, "kid", json!("k".repeat(257))),
        changed(&curve, "crv", json!("secp256k1")),
        changed(&curve, "crv", json!("P-256")),
        changed(&curve, "x", curve.public()["y"].clone()),
        none(&curve, "y"),
        changed(&edwards, "crv", json!("Ed448")),
        changed(&edwards, "x", json!("AAAA")),
    ];
    for key in &unusable {
        let error = count_keys(json!({"keys": [key]}).to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains("none of its 1 keys can be used: "), "{key}: {error}");
    }
    let many: Vec<_> = unusable.iter().cloned().chain([rsa.public(), edwards.public()]).collect();
    assert_eq!(count_keys(json!({ "keys": many }).to_string().as_bytes()), Ok((2, unusable.len())));
    for (document, words) in [
        ("", "no set of keys"),
        ("{}", "no set of keys"),
        ("[]", "no set of keys"),
        ("{\"keys\": {}}", "no set of keys"),
        ("{\"keys\": []}", "none of its 0 keys"),
        (&format!("{{\"keys\": {}1{}}}", "[".repeat(5000), "]".repeat(5000)), "no set of keys"),
        (&json!({"keys": vec![rsa.public(); 65]}).to_string(), "65 keys, and 64"),
    ] {
        let error = count_keys(document.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
