//! What a node said, and how its problems become ours.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::header;
use crate::code::{Code, SupportCode};
use crate::output::Failure;

/// A status, headers and a body.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(super) const fn new(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }

    /// The status, as a number.
    pub const fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether the node has taken the request but has no result yet.
    pub fn is_pending(&self) -> bool {
        self.status == StatusCode::ACCEPTED
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// After how long a node that has no room for the request, or is not ready for it yet, asks to come back.
    pub(super) fn room_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header(RETRY_AFTER.as_str())?.parse().ok()?;
        let is_busy = self.status == StatusCode::SERVICE_UNAVAILABLE
            && matches!(self.problem().code(), Code::Overloaded | Code::NodeNotReady);
        is_busy.then(|| Duration::from_secs(seconds))
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The answer, unless it is a problem.
    pub fn success(self) -> Result<Self, Failure> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.problem())
    }

    /// The body as JSON of the expected form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::new(Code::NodeAnswer).because(error))
    }

    /// The failure that a problem document stands for (RFC 9457).
    fn problem(&self) -> Failure {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let text = |key: &str| problem.get(key).and_then(Value::as_str);
        let code = text("code")
            .and_then(|code| code.parse().ok())
            .unwrap_or_else(|| by_status(self.status));
        let mut failure = Failure::new(code);
        if let Some(detail) = text("detail").or_else(|| text("title")) {
            failure = failure.message(detail);
        }
        if let Some(support) = text("support_code").and_then(|it| it.parse::<SupportCode>().ok()) {
            failure = failure.support(support);
        }
        if let Some(after) = header(&self.headers, RETRY_AFTER.as_str()) {
            failure = failure.note(format!("try again after {after} s"));
        }
        failure
    }
}

const fn by_status(status: StatusCode) -> Code {
    match status.as_u16() {
        400 | 422 => Code::BadQuery,
        401 => Code::LoginNeeded,
        403 => Code::RoleNeeded,
        404 | 405 => Code::NoSuchRoute,
        409 => Code::AlreadyRecorded,
        413 => Code::TooLarge,
        415 => Code::BadMediaType,
        429 => Code::Overloaded,
        500 => Code::NodeBug,
        503 => Code::NodeNotReady,
        504 => Code::TimedOut,
        _ => Code::NodeAnswer,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).expect("status");
        Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec())
    }

    #[test]
    fn a_problem_keeps_its_code_its_text_and_its_support_code() {
        let body = r#"{"title":"t","detail":"no such server here","code":"AC0405","support_code":"AC-7F3K"}"#;

        let failure = answer(404, body).success().expect_err("a problem");

        assert_eq!(failure.code(), Code::NoSuchServer);
        assert_eq!(failure.what(), "no such server here");
        assert_eq!(failure.support_code(), "AC-7F3K".parse().ok());
    }

    #[test]
    fn a_problem_without_a_code_gets_that_of_its_status() {
        for (status, code) in [
            (401, Code::LoginNeeded),
            (429, Code::Overloaded),
            (500, Code::NodeBug),
            (418, Code::NodeAnswer),
        ] {
            let failure = answer(status, "<html>").success().expect_err("a problem");
            assert_eq!(failure.code(), code);
        }
    }

    #[test]
    fn only_who_has_no_room_is_asked_again_and_when_it_says() {
        let busy = |status, code: Code, after: &str| {
            let mut answer = answer(status, &format!(r#"{{"code":"{}"}}"#, code.text()));
            answer
                .headers
                .insert(RETRY_AFTER, after.parse().expect("a header"));
            answer.room_after()
        };

        let second = Some(Duration::from_secs(1));
        assert_eq!(busy(503, Code::Overloaded, "1"), second);
        assert_eq!(busy(503, Code::NodeNotReady, "1"), second);
        assert_eq!(busy(503, Code::NodeBehind, "1"), None);
        assert_eq!(busy(500, Code::Overloaded, "1"), None);
        assert_eq!(busy(503, Code::Overloaded, "soon"), None);
        assert_eq!(answer(503, "").room_after(), None);
    }

    #[test]
    fn no_control_that_a_node_sends_reaches_the_terminal() {
        let body = r#"{"title":"t","detail":"no such\u001b[2J server\u009b1m","code":"AC0405"}"#;

        let failure = answer(404, body).success().expect_err("a problem");

        assert_eq!(failure.what(), "no such\u{fffd}[2J server\u{fffd}1m");
    }

    proptest! {
        #[test]
        fn whatever_a_node_answers_is_a_success_or_a_problem_with_a_plain_text(
            status in 100_u16..1000,
            detail in any::<String>(),
            code in "(AC[0-9]{4}|[ -~]{0,8})",
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = serde_json::json!({"detail": detail, "code": code, "support_code": code});
            let whole = whole.to_string();
            let cut = whole.chars().take(cut.index(whole.len().saturating_add(1))).collect::<String>();
            for body in [whole, cut] {
                match answer(status, &body).success() {
                    Ok(_answer) => prop_assert!((200..300).contains(&status)),
                    Err(failure) => {
                        let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
                        prop_assert!(!failure.what().contains(obeyed));
                    }
                }
            }
        }
    }
}
