//! HTTP/1.1 over one kept-alive connection, as little of it as a test needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::place::Place;

/// Longest answer that is read.
const BODY_MAX: u64 = 64 << 20;

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection that is kept alive.
#[derive(Debug)]
pub struct Connection {
    place: Place,
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    patience: Duration,
}

impl Connection {
    /// A connection made at the first request; each read waits at most `patience`.
    pub const fn new(address: SocketAddr, patience: Duration) -> Self {
        Self::from(Place::Loopback, address, patience)
    }

    /// The same from somewhere else.
    pub const fn from(place: Place, address: SocketAddr, patience: Duration) -> Self {
        Self {
            place,
            address,
            stream: None,
            patience,
        }
    }

    /// `GET path`.
    pub fn get(&mut self, path: &str) -> io::Result<Response> {
        self.request("GET", path, &[], &[])
    }

    /// Sends one request and reads its answer. After an error the next request connects anew.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let request = Request {
            method,
            path,
            headers,
            body,
        };
        let response = exchange(&mut stream, &self.address.to_string(), &request)?;
        if response.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(response)
    }

    /// Opens the connection.
    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = self.place.connect(self.address, self.patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        Ok(BufReader::new(stream))
    }
}

/// What is asked.
pub(crate) struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// `GET path`.
    pub(crate) const fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            headers: &[],
            body: &[],
        }
    }

    /// `POST path`.
    pub(crate) const fn post(
        path: &'a str,
        headers: &'a [(&'a str, &'a str)],
        body: &'a [u8],
    ) -> Self {
        Self {
            method: "POST",
            path,
            headers,
            body,
        }
    }
}

/// Sends one request to a host and reads its answer.
pub(crate) fn exchange(
    stream: &mut BufReader<impl Read + Write>,
    host: &str,
    request: &Request<'_>,
) -> io::Result<Response> {
    let Request {
        method,
        path,
        headers,
        body,
    } = request;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in *headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
    let mut message = head.into_bytes();
    message.extend_from_slice(body);
    stream.get_mut().write_all(&message)?;
    stream.get_mut().flush()?;
    read_response(stream)
}

/// Reads status line, headers and body.
fn read_response(stream: &mut impl BufRead) -> io::Result<Response> {
    let status_line = read_line(stream)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| malformed("status line"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
    };
    response.body = read_body(stream, &response)?;
    Ok(response)
}

/// Reads the body: chunked, of a stated length, or up to the end.
fn read_body(stream: &mut impl BufRead, response: &Response) -> io::Result<Vec<u8>> {
    if response.header("transfer-encoding") == Some("chunked") {
        return read_chunks(stream);
    }
    let mut body = Vec::new();
    let length = match response.header("content-length") {
        Some(length) => length.parse().ok().ok_or_else(|| malformed("length"))?,
        None if matches!(response.status, 204 | 304) => 0,
        None => BODY_MAX,
    };
    stream
        .take(u64::min(length, BODY_MAX))
        .read_to_end(&mut body)?;
    Ok(body)
}

/// Reads a chunked body.
fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let length = u64::from_str_radix(&line, 16)
            .ok()
            .ok_or_else(|| malformed("chunk"))?;
        stream
            .take(u64::min(length, BODY_MAX))
            .read_to_end(&mut body)?;
        read_line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// One line without its end.
fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

/// The answer is not HTTP.
fn malformed(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("malformed {what} in an HTTP answer"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_stated_length_leaves_the_next_answer_in_place() {
        let mut bytes: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 N\r\ncontent-length: 0\r\n\r\n";

        assert_eq!(read_response(&mut bytes).unwrap().body, b"ok");
        assert_eq!(read_response(&mut bytes).unwrap().status, 404);
    }

    #[test]
    fn a_chunked_body_is_joined() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";

        assert_eq!(read_response(&mut bytes).unwrap().text(), "abcd");
    }

    #[test]
    fn an_answer_cut_short_is_an_error() {
        assert_eq!(
            read_response(&mut &b"HTTP/1.1 200 OK\r\nA: b\r\n"[..])
                .unwrap_err()
                .kind(),
            io::ErrorKind::UnexpectedEof
        );
    }
}
