use super::*;

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn refused(name: &str, value: &str) -> bool {
    overrides(&pairs(&[(name, value)])).is_err_and(|m| m.word == "env-forbidden")
}

/// Every variable that the advisories of the upstream project name, and their families.
const NAMED: &str = "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH NODE_OPTIONS NODE_PATH PYTHONPATH \
    PYTHONHOME RUBYLIB PERL5LIB BASH_ENV ENV GCONV_PATH IFS SSLKEYLOGFILE PATH Path path SHELL SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND \
    KSH_ENV ZDOTDIR FPATH HOME LESS LESSOPEN LESSCLOSE PAGER MANPAGER EDITOR VISUAL BROWSER TAR_OPTIONS ZIPOPT ZIP UNZIP GREP_OPTIONS \
    AWKPATH AWKLIBPATH MAGIC LOCPATH GLIBC_TUNABLES MALLOC_TRACE HOSTALIASES PERL5OPT PERL5DB RUBYOPT PYTHONSTARTUP PYTHONBREAKPOINT \
    PYTHONUSERBASE JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS LUA_INIT LUA_INIT_5_4 LUA_PATH \
    LUA_CPATH PHPRC GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_SSH GIT_SSH_COMMAND GIT_EDITOR GIT_PAGER GIT_EXTERNAL_DIFF GIT_DIR \
    GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_ASKPASS SSH_ASKPASS CC CXX RUSTC RUSTC_WRAPPER CARGO_BUILD_RUSTC MAKEFLAGS CFLAGS LDFLAGS \
    NPM_CONFIG_REGISTRY npm_config_registry PIP_INDEX_URL UV_INDEX_URL YARN_RC_FILENAME HTTP_PROXY https_proxy ALL_PROXY NO_PROXY \
    NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_ACCESS_KEY_ID \
    AWS_CONFIG_FILE AZURE_CLIENT_SECRET GOOGLE_APPLICATION_CREDENTIALS DOCKER_HOST KUBECONFIG HOMEBREW_PREFIX RUSTUP_TOOLCHAIN GOFLAGS \
    GOPROXY CMAKE_TOOLCHAIN_FILE OPENSSL_CONF TMPDIR TZDIR NLSPATH OPENAI_API_KEY GITHUB_TOKEN OPENCLAW_GATEWAY_TOKEN \
    OPENCLAW_STATE_DIR DB_PASSWORD ANYTHING_ELSE X";

#[test]
fn sp_210_only_names_on_a_small_list_may_be_overridden() {
    for name in NAMED.split_whitespace() {
        assert!(refused(name, "x"), "{name}");
        assert!(judge(name, "x", SetBy::Line).is_err(), "{name}");
    }
    for name in ["BASH_FUNC_ls%%", "A=B;sh", "", "1A", "A B", "ü", "A\0", "LC_", "LC_x", "lang", "Term"] {
        assert!(refused(name, "x"), "{name}");
    }
    for (name, value) in [
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "de_DE@euro"),
        ("TERM", "xterm-256color"),
        ("TZ", "Europe/Berlin"),
        ("NO_COLOR", "1"),
        ("COLUMNS", "80"),
        ("CI", "true"),
    ] {
        assert!(!refused(name, value), "{name}");
    }
}

#[test]
fn sp_210_values_are_plain_words() {
    for (name, value) in [
        ("LC_ALL", "../../tmp/x"),
        ("LANG", "/tmp/x"),
        ("LANG", "a..b"),
        ("TZ", ":/etc/shadow"),
        ("TZ", "/etc/shadow"),
        ("TZ", "../etc"),
        ("COLUMNS", "$(id)"),
        ("TERM", "a\0b"),
        ("TERM", "a b"),
    ] {
        assert!(refused(name, value), "{name}={value}");
    }
    assert!(judge("CI", "1", SetBy::Line).is_err(), "a line may assign less than a request");
}

#[test]
fn sp_211_one_normal_form() {
    let a = overrides(&pairs(&[("TERM", "x"), ("LANG", "C")]));
    let b = overrides(&pairs(&[("LANG", "C"), ("TERM", "x")]));
    assert_eq!(a, b);
    assert!(overrides(&pairs(&[("TERM", "x"), ("TERM", "y")])).is_err());
}

#[test]
fn sp_212_inherited_variables_are_sanitised() {
    let inherited = pairs(&[
        ("PATH", "/usr/bin"),
        ("HOME", "/h"),
        ("LD_PRELOAD", "x"),
        ("BASH_ENV", "x"),
        ("BASH_FUNC_ls%%", "() { id; }"),
        ("NODE_OPTIONS", "x"),
        ("LESSOPEN", "|sh"),
        ("TAR_OPTIONS", "x"),
        ("HTTPS_PROXY", "p"),
        ("GITHUB_TOKEN", "t"),
        ("OPENCLAW_GATEWAY_TOKEN", "t"),
        ("OPENCLAW_STATE_DIR", "/s"),
        ("NODE_ENV", "test"),
    ]);
    let names = |kind| -> Vec<String> {
        compose(&inherited, &pairs(&[("TERM", "dumb"), ("CI", "1")]), kind)
            .into_iter()
            .map(|(n, _)| n)
            .collect()
    };
    assert_eq!(
        names(RunKind::Automatic),
        ["CI", "HOME", "HTTPS_PROXY", "LESSSECURE", "NODE_ENV", "OPENCLAW_STATE_DIR", "PATH", "TERM"]
    );
    assert_eq!(
        names(RunKind::Approved),
        [
            "CI",
            "GITHUB_TOKEN",
            "HOME",
            "HTTPS_PROXY",
            "LESSOPEN",
            "NODE_ENV",
            "OPENCLAW_STATE_DIR",
            "PATH",
            "TAR_OPTIONS",
            "TERM"
        ]
    );
    assert!(!names(RunKind::Shell).contains(&"CI".to_owned()));
}
