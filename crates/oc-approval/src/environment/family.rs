//! What a variable steers, by name.

/// A family of variables that a request may never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The dynamic loader and the C library.
    Loader,
    /// Files that a shell reads when it starts.
    ShellStart,
    /// How a shell reads and shows lines.
    ShellOption,
    /// An exported shell function.
    Function,
    /// Where programs, the home and the shell are found.
    Search,
    /// What a language runtime loads.
    Interpreter,
    /// Pagers, editors, browsers.
    Pager,
    /// Options that a program takes from its environment.
    ToolOption,
    /// Compilers and build tools.
    Compiler,
    /// Version control.
    VersionControl,
    /// Package managers and toolchain managers.
    Package,
    /// Where network traffic goes.
    Proxy,
    /// Which certificates are trusted.
    Certificate,
    /// Cloud tools.
    Cloud,
    /// Where locale data is found.
    Locale,
    /// A secret by its name.
    Credential,
    /// The product's own settings.
    Product,
}

impl Family {
    /// What it steers, to follow the name.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Loader => "steers the dynamic loader or the C library",
            Self::ShellStart => "names a file that shells run when they start",
            Self::ShellOption => "changes how shells read a line",
            Self::Function => "defines a shell function",
            Self::Search => "decides where programs and the home are found",
            Self::Interpreter => "makes a language runtime load code",
            Self::Pager => "names a program that others start",
            Self::ToolOption => "gives a program options unseen",
            Self::Compiler => "steers a compiler or a build tool",
            Self::VersionControl => "steers version control",
            Self::Package => "steers a package or toolchain manager",
            Self::Proxy => "redirects network traffic",
            Self::Certificate => "decides which certificates are trusted",
            Self::Cloud => "steers a cloud tool",
            Self::Locale => "decides where locale data is found",
            Self::Credential => "is a secret by its name",
            Self::Product => "belongs to the product itself",
        }
    }
}

/// Families by the start of the name.
const BY_START: [(&str, Family); 46] = [
    ("LD_", Family::Loader),
    ("DYLD_", Family::Loader),
    ("GLIBC_", Family::Loader),
    ("MALLOC_", Family::Loader),
    ("BASH_FUNC_", Family::Function),
    ("BASH_", Family::ShellStart),
    ("PYTHON", Family::Interpreter),
    ("NODE_", Family::Interpreter),
    ("DENO_", Family::Interpreter),
    ("BUN_", Family::Interpreter),
    ("PERL", Family::Interpreter),
    ("RUBY", Family::Interpreter),
    ("GEM_", Family::Package),
    ("BUNDLE_", Family::Package),
    ("LUA_", Family::Interpreter),
    ("PHP", Family::Interpreter),
    ("DOTNET_", Family::Interpreter),
    ("CORECLR_", Family::Interpreter),
    ("JULIA_", Family::Interpreter),
    ("R_", Family::Interpreter),
    ("ERL_", Family::Interpreter),
    ("ELIXIR_", Family::Interpreter),
    ("LESS", Family::Pager),
    ("GIT_", Family::VersionControl),
    ("SVN_", Family::VersionControl),
    ("HG", Family::VersionControl),
    ("AWK", Family::ToolOption),
    ("MAGIC", Family::ToolOption),
    ("CARGO_", Family::Compiler),
    ("RUSTC", Family::Compiler),
    ("RUSTDOC", Family::Compiler),
    ("CMAKE_", Family::Compiler),
    ("GOOGLE_", Family::Cloud),
    ("GO", Family::Compiler),
    ("CGO_", Family::Compiler),
    ("NPM_", Family::Package),
    ("YARN_", Family::Package),
    ("PNPM_", Family::Package),
    ("PIP_", Family::Package),
    ("UV_", Family::Package),
    ("HOMEBREW_", Family::Package),
    ("RUSTUP_", Family::Package),
    ("AWS_", Family::Cloud),
    ("AZURE_", Family::Cloud),
    ("DOCKER_", Family::Cloud),
    ("OPENCLAW_", Family::Product),
];

/// Families by the whole name, upper case.
const BY_NAME: [(&str, Family); 85] = [
    ("ALL_PROXY", Family::Proxy),
    ("AR", Family::Compiler),
    ("AS", Family::Compiler),
    ("BASHOPTS", Family::ShellOption),
    ("BROWSER", Family::Pager),
    ("BUILDKIT_HOST", Family::Cloud),
    ("CC", Family::Compiler),
    ("CDPATH", Family::Search),
    ("CLASSPATH", Family::Interpreter),
    ("CLOUDSDK_CONFIG", Family::Cloud),
    ("COMPOSER_HOME", Family::Package),
    ("CONDA_EXE", Family::Package),
    ("CORECLR_PROFILER", Family::Interpreter),
    ("CPATH", Family::Compiler),
    ("CPP", Family::Compiler),
    ("CURL_CA_BUNDLE", Family::Certificate),
    ("CURL_HOME", Family::ToolOption),
    ("CVS_RSH", Family::VersionControl),
    ("CXX", Family::Compiler),
    ("EDITOR", Family::Pager),
    ("ENV", Family::ShellStart),
    ("FCEDIT", Family::Pager),
    ("FPATH", Family::ShellStart),
    ("FTP_PROXY", Family::Proxy),
    ("GCC_EXEC_PREFIX", Family::Compiler),
    ("GCONV_PATH", Family::Loader),
    ("GREP_COLOR", Family::ToolOption),
    ("GREP_COLORS", Family::ToolOption),
    ("GREP_OPTIONS", Family::ToolOption),
    ("HOME", Family::Search),
    ("HOSTALIASES", Family::Loader),
    ("HTTPS_PROXY", Family::Proxy),
    ("HTTP_PROXY", Family::Proxy),
    ("IFS", Family::ShellOption),
    ("INPUTRC", Family::ShellStart),
    ("JAVA_HOME", Family::Interpreter),
    ("JAVA_OPTS", Family::Interpreter),
    ("JAVA_TOOL_OPTIONS", Family::Interpreter),
    ("JDK_JAVA_OPTIONS", Family::Interpreter),
    ("KSH_ENV", Family::ShellStart),
    ("KUBECONFIG", Family::Cloud),
    ("LD", Family::Compiler),
    ("LIBRARY_PATH", Family::Compiler),
    ("LOCALDOMAIN", Family::Loader),
    ("LOCPATH", Family::Locale),
    ("LOGNAME", Family::Search),
    ("LS_COLORS", Family::ToolOption),
    ("LS_OPTIONS", Family::ToolOption),
    ("MAKEFILES", Family::Compiler),
    ("MAKEFLAGS", Family::Compiler),
    ("MANPAGER", Family::Pager),
    ("MAVEN_OPTS", Family::Compiler),
    ("MORE", Family::Pager),
    ("NETRC", Family::Credential),
    ("NIX_PATH", Family::Package),
    ("NLSPATH", Family::Locale),
    ("NO_PROXY", Family::Proxy),
    ("OPENSSL_CONF", Family::Certificate),
    ("OPENSSL_MODULES", Family::Loader),
    ("PAGER", Family::Pager),
    ("PATH", Family::Search),
    ("POSIXLY_CORRECT", Family::ToolOption),
    ("PROMPT_COMMAND", Family::ShellOption),
    ("PS0", Family::ShellOption),
    ("PS1", Family::ShellOption),
    ("PS4", Family::ShellOption),
    ("PWD", Family::Search),
    ("RES_OPTIONS", Family::Loader),
    ("RSYNC_RSH", Family::ToolOption),
    ("SHELL", Family::Search),
    ("SHELLOPTS", Family::ShellOption),
    ("SSH_ASKPASS", Family::Pager),
    ("SSH_AUTH_SOCK", Family::Credential),
    ("SSLKEYLOGFILE", Family::Certificate),
    ("SSL_CERT_DIR", Family::Certificate),
    ("SSL_CERT_FILE", Family::Certificate),
    ("TAPE", Family::ToolOption),
    ("TAR_OPTIONS", Family::ToolOption),
    ("TMPDIR", Family::Search),
    ("TZDIR", Family::Locale),
    ("USER", Family::Search),
    ("VISUAL", Family::Pager),
    ("XDG_CONFIG_HOME", Family::Search),
    ("ZDOTDIR", Family::ShellStart),
    ("_JAVA_OPTIONS", Family::Interpreter),
];

/// Names of the archive tools' hidden options.
const ARCHIVE: [&str; 5] = ["ZIPOPT", "ZIP", "UNZIP", "UNZIPOPT", "ZIPINFO"];

/// Whether a name says that the value is a secret.
pub(super) fn is_secret(upper: &str) -> bool {
    ["_TOKEN", "_KEY", "_SECRET", "_PASSWORD", "_PASSWD", "_CREDENTIALS", "_PASSPHRASE"]
        .iter()
        .any(|end| upper.ends_with(end))
        || matches!(upper, "TOKEN" | "PASSWORD" | "SECRET" | "API_KEY" | "PGPASSFILE")
        || upper.starts_with("OPENCLAW_GATEWAY_")
}

/// The family of a name, in any case.
#[must_use]
pub fn family(name: &str) -> Option<Family> {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("BASH_FUNC_") || upper.ends_with("()") {
        return Some(Family::Function);
    }
    if let Ok(at) = BY_NAME.binary_search_by(|(n, _)| (*n).cmp(upper.as_str())) {
        return BY_NAME.get(at).map(|(_, f)| *f);
    }
    if ARCHIVE.contains(&upper.as_str()) {
        return Some(Family::ToolOption);
    }
    if let Some((_, family)) = BY_START.iter().find(|(start, _)| upper.starts_with(*start)) {
        return Some(*family);
    }
    if is_secret(&upper) {
        return Some(Family::Credential);
    }
    if upper.ends_with("FLAGS") {
        return Some(Family::Compiler);
    }
    if upper.ends_with("_PROXY") {
        return Some(Family::Proxy);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_halving() {
        assert!(BY_NAME.is_sorted_by(|a, b| a.0 < b.0));
    }
}
