//! Who may read: nobody without a token away from loopback, and each role what it is for.

use axum::{body::Body, http::Request};
use contract::{Aid, Kind};
use patient::code::Code;

use crate::{
    access::{Role, issue},
    http::testing::{Answer, Bench, To},
};

/// A node that asks for a login.
fn guarded() -> Bench {
    Bench::with("clinic-a", Kind::Research, |config| {
        config.explorer_login = true;
    })
}

async fn with_token(bench: &Bench, role: Role, path: &str) -> Answer {
    let token = issue(bench.home.path(), role, bench.app.now_ms()).unwrap();
    let bearer = format!("Bearer {}", token.reveal().as_str());
    let request = Request::get(path)
        .header("authorization", bearer)
        .body(Body::empty())
        .unwrap();
    bench.ask(To::Members, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_ledger_is_shown_without_a_token() {
    let bench = guarded();

    for path in ["/v1/status", "/v1/blocks", "/v1/events", "/genesis.json"] {
        let answer = bench.get(To::Members, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (401, Code::LoginNeeded.text().into()),
            "{path}"
        );
    }
    for path in ["/", "/b/0", "/members", "/results"] {
        let answer = bench.get(To::Members, path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["location"]),
            (303, &"/login".parse().unwrap()),
            "{path}"
        );
    }
    for path in ["/login", "/style.css", "/live.js", "/verify.html"] {
        assert_eq!(bench.get(To::Members, path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_what_it_is_for_and_is_told_what_it_lacks() {
    let bench = guarded();
    let identity = format!("/v1/identities/{}", Aid::new([1; 32]));

    assert_eq!(
        with_token(&bench, Role::Viewer, "/v1/blocks").await.status,
        200
    );
    let refused = with_token(&bench, Role::Viewer, &identity).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["code"].clone()),
        (403, Code::RoleNeeded.text().into())
    );
    assert_eq!(
        with_token(&bench, Role::Operator, "/v1/results")
            .await
            .status,
        403
    );
    assert_eq!(
        with_token(&bench, Role::Auditor, "/v1/results")
            .await
            .status,
        200
    );
    assert_eq!(
        with_token(&bench, Role::Auditor, &identity).await.status,
        404
    );
    let page = with_token(&bench, Role::Viewer, "/results").await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("this page needs the role auditor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_is_refused_and_a_good_one_becomes_a_cookie() {
    let bench = guarded();
    let guess =
        Request::get("/v1/blocks").header("authorization", format!("Bearer {}", "ab".repeat(32)));
    let answer = bench
        .ask(To::Members, guess.body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.json()["code"], Code::TokenRefused.text());

    let token = issue(bench.home.path(), Role::Viewer, bench.app.now_ms()).unwrap();
    let form = Request::post("/login")
        .body(Body::from(format!("token={}", token.reveal().as_str())))
        .unwrap();
    let signed_in = bench.ask(To::Members, form).await;
    assert_eq!(signed_in.status, 303);
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().to_owned();
    for word in [
        "__Host-aidchain=",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap().to_owned();
    let home = Request::get("/")
        .header("cookie", &value)
        .body(Body::empty())
        .unwrap();
    let page = bench.ask(To::Members, home).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Signed in as viewer"));

    let leave = Request::post("/logout")
        .header("cookie", &value)
        .body(Body::empty())
        .unwrap();
    bench.ask(To::Members, leave).await;
    let again = Request::get("/")
        .header("cookie", &value)
        .body(Body::empty())
        .unwrap();
    assert_eq!(bench.ask(To::Members, again).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_name_that_leads_to_loopback_is_refused() {
    let bench = Bench::start("clinic-a", Kind::Research);

    for (host, status) in [
        ("localhost:8201", 200),
        ("127.0.0.1:8201", 200),
        ("evil.example", 421),
        ("", 421),
    ] {
        let request = Request::get("/v1/status")
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            bench.ask(To::Members, request).await.status,
            status,
            "{host}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_an_identity_is_written_down_before_it_is_shown() {
    let bench = Bench::start("clinic-a", Kind::Research);
    bench
        .get(To::Members, &format!("/a/{}", Aid::new([1; 32])))
        .await;
    bench.get(To::Members, "/results.csv").await;

    let trail = loop {
        let text = std::fs::read_to_string(bench.file("access/trail.log")).unwrap();
        if text.lines().count() == 2 {
            break text;
        }
        tokio::task::yield_now().await;
    };

    assert!(trail.contains(" local identity "));
    assert!(trail.contains(" local export - "));
    assert!(!trail.contains("aid1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_forbids_framing_foreign_scripts_and_referrers() {
    let bench = Bench::start("clinic-a", Kind::Research);

    for path in ["/", "/nowhere", "/v1/status"] {
        let head = bench.get(To::Members, path).await.headers;
        assert!(
            head["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'self';"),
            "{path}"
        );
        assert_eq!(head["x-frame-options"], "DENY");
        assert_eq!(head["referrer-policy"], "no-referrer");
        assert_eq!(head["cache-control"], "no-store");
    }
    let verifier = bench.get(To::Members, "/verify.html").await;
    assert_eq!(
        verifier.headers["content-security-policy"],
        "frame-ancestors 'none'"
    );
}
