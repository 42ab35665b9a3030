//! The explorer's pages over a real ledger: what they show, where they lead, what they say when there is nothing.

use std::sync::Arc;

use consensus::{Digest, ReplicaId, Seq};
use contract::{
    Aid, Author, Blob, BlockTime, Call, Kind, LegacyResult, SessionId, SuiteId, Transaction,
    WuRecord,
};

use crate::http::testing::{Bench, To};

/// A ledger of the centre with one patient and one sign-in of hers; their transactions.
async fn populated() -> (Bench, Aid, Vec<String>) {
    let bench = Bench::start("rc", Kind::Research);
    let aid = Aid::new([0x5a; 32]);
    let record = WuRecord {
        aid,
        id: Blob::new(b"Ada Lovelace".to_vec()),
    };
    let services = bench.app.services().clone();
    let now = BlockTime::new(bench.app.now_ms());
    let result = LegacyResult {
        suite: SuiteId::WU_2021,
        server_id: services.server_id(),
        aid,
        t1: now,
        t3: now,
        sid: SessionId::new([0x51; 32]),
    };
    let mut hashes = Vec::new();
    for call in [Call::WuRegister(record), Call::LegacyResults(vec![result])] {
        let author = Author::Member(services.server_id());
        let signed = Transaction::new(
            *bench.app.genesis().chain(),
            author,
            now.plus_ms(60_000),
            [1; 8],
            call,
        )
        .sign(services.keys.member());
        let ticket = services
            .submitter
            .submit(signed.as_bytes().into())
            .await
            .unwrap();
        ticket
            .wait(std::time::Duration::from_secs(20))
            .await
            .unwrap();
        hashes.push(signed.hash().to_string());
    }
    (bench, aid, hashes)
}

async fn page(bench: &Bench, path: &str) -> (u16, String) {
    let answer = bench.get(To::Members, path).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_ledger_says_what_to_do_first_and_that_it_is_insecure() {
    let bench = Bench::start("clinic-a", Kind::Research);
    let (status, html) = page(&bench, "/").await;

    assert_eq!(status, 200);
    assert!(html.contains("Nobody has signed in yet"));
    assert!(html.contains("Research ledger, insecure by purpose"));
    let (_, secure) = page(&Bench::start("clinic-a", Kind::Secure), "/").await;
    assert!(!secure.contains("Research ledger"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_the_overview_leads_to_a_page_and_no_page_is_heavy() {
    let (bench, _, _) = populated().await;
    let (_, home) = page(&bench, "/").await;
    let links: Vec<&str> = home
        .split("href=\"/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();

    assert!(links.len() > 12);
    for link in links {
        let (status, html) = page(&bench, &format!("/{link}")).await;
        assert_eq!(status, 200, "/{link}");
        assert!(html.len() < 60 << 10, "/{link} has {} bytes", html.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_shows_its_signers_one_by_one_and_is_found_by_its_hash() {
    let (bench, _, hashes) = populated().await;
    let (_, html) = page(&bench, "/b/2").await;

    assert_eq!(html.matches("✓ valid").count(), 3);
    assert!(html.contains("✓ 3 distinct members of 4 signed, need 3"));
    assert!(html.contains(&format!("/t/{}", hashes[1])));
    let hash = bench.get(To::Members, "/v1/blocks/2").await.json()["hash"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(page(&bench, &format!("/b/{hash}")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_in_a_decoded_registration_is_counted_and_never_shown() {
    let (bench, aid, hashes) = populated().await;

    let (_, transaction) = page(&bench, &format!("/t/{}", hashes[0])).await;
    let (_, identity) = page(&bench, &format!("/a/{aid}")).await;
    let json = bench
        .get(To::Members, &format!("/v1/transactions/{}", hashes[0]))
        .await
        .json();

    for html in [&transaction, &identity] {
        assert!(html.contains("in clear on this ledger, 12 bytes"));
        assert!(!html.contains("Lovelace"));
    }
    assert_eq!(json["fields"]["id"]["in_clear_bytes"], 12);
    assert!(transaction.contains("✓ executed"));
    assert!(identity.contains("✓ active"));
    assert!(identity.contains("Sign-ins by day"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_that_a_page_offers_is_valid() {
    let (bench, aid, hashes) = populated().await;

    let file = bench
        .get(
            To::Members,
            &format!("/v1/transactions/{}/receipt", hashes[1]),
        )
        .await
        .body;

    let receipt = patient::receipt::Receipt::parse(&file).unwrap();
    let genesis =
        contract::Genesis::parse(&bench.get(To::Members, "/genesis.json").await.body).unwrap();
    let expect = patient::light::Expect {
        aid: Some(aid),
        ..Default::default()
    };
    let (_, verdict) = patient::light::verify(&receipt, &genesis, &expect, bench.app.now_ms());
    assert_eq!(verdict.unwrap().height.get(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_leads_to_whatever_the_text_names() {
    let (bench, aid, hashes) = populated().await;
    let server = bench.app.services().server_id();

    for (text, leads) in [
        ("2".to_owned(), "/b/2".to_owned()),
        (hashes[0].clone(), format!("/t/{}", hashes[0])),
        ("51".repeat(32), format!("/t/{}", hashes[1])),
        (aid.to_string(), format!("/a/{aid}")),
        ("clinic-b".to_owned(), "/members".to_owned()),
        (server.to_string(), "/members".to_owned()),
    ] {
        let answer = bench.get(To::Members, &format!("/search?q={text}")).await;
        assert_eq!(answer.status, 303, "{text}");
        assert_eq!(answer.headers["location"].to_str().unwrap(), leads);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_explained() {
    let (bench, _, _) = populated().await;

    for (path, status, words) in [
        ("/b/99", 404, "Block 99 does not exist yet"),
        (
            &format!("/b/{}", "a".repeat(63)) as &str,
            400,
            "63 characters, need 64 hex digits",
        ),
        (
            &format!("/t/{}", "a".repeat(64)),
            404,
            "no certified block holds",
        ),
        (
            "/a/aid1q7s2k9fe",
            400,
            "an AID has 62 characters, this has 12",
        ),
        (
            &format!("/a/{}", Aid::new([9; 32])),
            404,
            "holds no identity",
        ),
        ("/search?q=clinic-x", 404, "Did you mean clinic-a?"),
        (
            &format!("/search?q={}", "b".repeat(63)),
            400,
            "63 hex digits, need 64",
        ),
        ("/results?since=yesterday", 400, "write a day as"),
        (
            "/results?at_height=99",
            404,
            "the newest certified one is 2",
        ),
        ("/nowhere", 404, "There is no page at this address"),
    ] {
        let (found, html) = page(&bench, path).await;
        assert_eq!(found, status, "{path}");
        assert!(html.contains(words), "{path}: {html}");
        assert!(html.contains("aidchain explain AC"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_quorum_stands_on_every_page_with_who_is_missing() {
    let (bench, _, _) = populated().await;
    bench.status.send_modify(|status| {
        for member in status.members.iter_mut().skip(2) {
            member.up = false;
        }
    });

    for path in ["/", "/b/1", "/members", "/results", "/nowhere"] {
        let (_, html) = page(&bench, path).await;
        assert!(
            html.contains("✗ No quorum: nothing new can be recorded. Missing: clinic-b, clinic-c."),
            "{path}"
        );
    }
    assert_eq!(bench.get(To::Operations, "/readyz").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_which_of_two_results_is_told_and_nobody_is_accused() {
    let (bench, _, _) = populated().await;
    let (_, before) = page(&bench, "/members").await;
    assert!(before.contains("✓ this node saw no block of which members signed different results"));
    let services = bench.app.services().clone();
    let term = Arc::clone(&services.term.borrow());
    for (member, byte) in [(0, 0xaa), (1, 0xaa), (2, 0xaa), (3, 0xbb)] {
        let result = (Seq::new(9), Digest::new([byte; 32]));
        let member = ReplicaId::new(member);
        services.checkpoints.signed(&term, result, member);
    }

    let answer = bench.get(To::Members, "/v1/divergences").await.json();
    let (_, html) = page(&bench, "/members").await;

    assert_eq!(answer["schema"], "aidchain.divergences/1");
    let entry = &answer["entries"][0];
    assert_eq!((&entry["height"], &entry["epoch"]), (&9.into(), &0.into()));
    assert_eq!(entry["certified"], "aa".repeat(32));
    assert_eq!(entry["results"][1]["header"], "bb".repeat(32));
    assert_eq!(entry["results"][1]["members"][0], "clinic-c");
    assert!(
        html.contains("! blocks with differing results, as this node saw them: 1"),
        "{html}"
    );
    assert!(html.contains("rc, clinic-a, clinic-b"));
    assert!(html.contains("as likely as a lie"));
    for height in 0..200 {
        for member in 0..4_u8 {
            let result = (Seq::new(height), Digest::new([member; 32]));
            let member = ReplicaId::new(member.into());
            services.checkpoints.signed(&term, result, member);
        }
    }
    let (_, html) = page(&bench, "/members").await;
    assert!(html.len() < 60 << 10, "{} bytes", html.len());
    let answer = bench.get(To::Members, "/v1/divergences").await.json();
    assert_eq!(answer["count"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_votes_a_divergence_and_a_lag_are_said_in_words() {
    let (bench, _, _) = populated().await;
    bench.status.send_modify(|status| {
        status.votes_lost = Some("the vote log is of another key".to_owned());
        status.diverged = Some("block 2 differs".to_owned());
        // One of four may lie: what two of them have passed is believed.
        for (member, height) in status.members.iter_mut().skip(1).zip([1_205, 1_300]) {
            member.height = Some(height);
        }
    });
    let (_, html) = page(&bench, "/").await;

    assert!(html.contains("! This node only observes: the vote log is of another key"));
    assert!(html.contains("✗ Do not rely on this node: block 2 differs"));
    assert!(html.contains("! This node is 1203 blocks behind: what you see is as of height 2."));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_exactly_the_rows_of_the_filter_and_names_its_height() {
    let (bench, aid, hashes) = populated().await;

    let csv = bench
        .get(To::Members, &format!("/results.csv?aid={aid}&server=rc"))
        .await;
    assert_eq!(csv.headers["aidchain-at-height"], "2");
    let lines: Vec<String> = csv.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].ends_with(&hashes[1]));
    assert_eq!(
        bench
            .get(To::Members, "/results.csv?server=clinic-b")
            .await
            .text()
            .lines()
            .count(),
        1
    );
    let ndjson = bench.get(To::Members, "/results.ndjson").await.json();
    assert_eq!(ndjson["aid"], aid.to_string());
    assert_eq!(ndjson["form"], "legacy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_research_ledger_has_the_papers_tables_and_leads_to_them() {
    let (bench, _, _) = populated().await;

    let (status, html) = page(&bench, "/research").await;
    let (attacks_status, attacks) = page(&bench, "/research/attacks").await;

    assert_eq!((status, attacks_status), (200, 200));
    assert!(attacks.contains("A10: "), "{attacks}");
    assert!(html.contains("<a href=\"/research\" aria-current=\"page\">Research</a>"));
    assert!(html.contains("29.8903"), "{html}");
    let (status, table) = page(&bench, "/research/tables/table3-computation.csv").await;
    assert_eq!(status, 200);
    assert!(
        table.starts_with("scheme,phase,printed formula,printed"),
        "{table}"
    );
    let (status, _) = page(&bench, "/research/tables/nothing.csv").await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secure_ledger_has_no_page_of_the_papers_and_says_why() {
    let secure = Bench::start("rc", Kind::Secure);

    for path in ["/research", "/research/attacks"] {
        let (status, html) = page(&secure, path).await;

        assert_eq!(status, 404);
        assert!(html.contains("No papers on this ledger"));
        assert!(!html.contains("href=\"/research\""));
    }
}
