//! Errors as they leave the node: problem documents (RFC 9457) with a code, a next step and whether to try again.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use patient::code::{Code, Exit, SupportCode};
use serde_json::json;

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status line.
    status: StatusCode,
    /// Which error.
    code: Code,
    /// What is wrong with this request, in one sentence.
    detail: String,
    /// By which the operator finds the exact failed check.
    support: Option<SupportCode>,
    /// When to try again.
    retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem with its code and its detail.
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            support: None,
            retry_after_s: None,
        }
    }

    /// What was asked for does not exist.
    pub fn not_found(code: Code, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// The request itself is wrong.
    pub fn bad(code: Code, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A fault of this node; the detail stays in the log.
    pub fn bug() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::NodeBug,
            Code::NodeBug.title(),
        )
    }

    /// The node is too busy; the client may come back.
    pub fn busy(code: Code, detail: impl Into<String>, retry_after_s: u64) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Self {
            retry_after_s: Some(retry_after_s.max(1)),
            ..problem
        }
    }

    /// The one text for every refusal; the reason is behind the support code.
    pub fn refused(status: StatusCode, code: Code, support: SupportCode) -> Self {
        Self {
            support: Some(support),
            ..Self::new(status, code, code.title())
        }
    }

    /// The same problem under another status line.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Which error it is.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The status line.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong with this request.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the same request can succeed later.
    fn is_retryable(&self) -> bool {
        self.retry_after_s.is_some() || self.code.exit() == Exit::NoQuorum
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = json!({
            "schema": "aidchain.problem/1",
            "type": format!("urn:aidchain:error:{}", self.code),
            "title": self.code.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code.text(),
            "support_code": self.support.map(|support| support.to_string()),
            "help": self.code.help(),
            "retryable": self.is_retryable(),
        });
        let head = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/problem+json"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (self.status, head, document.to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn document(problem: Problem) -> (Response<()>, serde_json::Value) {
        let (head, body) = problem.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (
            Response::from_parts(head, ()),
            serde_json::from_slice(&bytes).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_problem_names_its_code_its_next_step_and_whether_to_try_again() {
        let (head, body) = document(Problem::busy(Code::PoolFull, "the pool is full", 0)).await;

        assert_eq!(head.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(head.headers()["content-type"], "application/problem+json");
        assert_eq!(head.headers()["retry-after"], "1");
        assert_eq!(body["code"], "AC0807");
        assert_eq!(body["retryable"], true);
        assert_eq!(body["support_code"], serde_json::Value::Null);
        assert!(!body["help"].as_str().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_says_nothing_but_its_support_code() {
        let support = SupportCode::from_random([1, 2, 3, 4]);
        let refused = Problem::refused(StatusCode::FORBIDDEN, Code::SignInRefused, support);
        let (_, body) = document(refused).await;

        assert_eq!(body["support_code"], support.to_string());
        assert_eq!(body["detail"], Code::SignInRefused.title());
        assert_eq!(body["retryable"], false);
    }
}
