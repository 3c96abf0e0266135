//! `multipart/form-data`: fields and one or more files, in memory.

use super::Body;

/// A form that is being written.
#[derive(Debug)]
pub struct Form {
    boundary: String,
    bytes: Vec<u8>,
}

impl Form {
    /// An empty form. The boundary is random: no file can hold it on purpose. Without randomness a file that holds the fixed part is not
    /// sent whole, and nothing worse.
    #[must_use]
    pub fn new() -> Self {
        let random = oc_fs::random::token_hex(16).map(|t| t.expose().to_owned()).unwrap_or_default();
        Self { boundary: format!("----oc-{random}"), bytes: Vec::new() }
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.head(name, None, None);
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, file_name: &str, media_type: &str, bytes: &[u8]) -> Self {
        self.head(name, Some(file_name), Some(media_type));
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    /// The body of the request.
    #[must_use]
    pub fn body(mut self) -> Body {
        self.bytes.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        Body::Bytes {
            content_type: format!("multipart/form-data; boundary={}", self.boundary),
            bytes: self.bytes,
        }
    }

    fn head(&mut self, name: &str, file_name: Option<&str>, media_type: Option<&str>) {
        let mut head =
            format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"", self.boundary, quoted(name));
        if let Some(file_name) = file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
        }
        if let Some(media_type) = media_type {
            head.push_str(&format!("\r\nContent-Type: {}", quoted(media_type)));
        }
        head.push_str("\r\n\r\n");
        self.bytes.extend_from_slice(head.as_bytes());
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

/// A value that cannot end its quotes or its line.
fn quoted(text: &str) -> String {
    text.chars().map(|c| if c == '"' || c == '\\' || c.is_control() { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_add_a_header() {
        let form = Form::new().text("a", "1").file("f", "x\"\r\nEvil: 1\r\n\r\n", "text/plain", b"hi");
        let Body::Bytes { bytes, content_type } = form.body() else { panic!("bytes") };
        let text = String::from_utf8(bytes).unwrap();
        let boundary = content_type.split_once("boundary=").unwrap().1;
        assert!(text.contains("filename=\"x___Evil: 1____\""), "{text}");
        assert_eq!(text.matches(boundary).count(), 3);
        assert!(text.ends_with(&format!("hi\r\n--{boundary}--\r\n")));
    }
}
