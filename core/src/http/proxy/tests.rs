use super::*;

/// How a URL is reached in an environment: `direct`, the proxy, or the error.
fn route(variables: &[(&str, &str)], url: &str) -> String {
    let proxies = Proxies::from_variables(|name| {
        let value = variables.iter().find(|(other, _)| *other == name);
        value.map(|(_, value)| value.into())
    });
    match proxies.proxy_for(&Url::parse(url).unwrap()) {
        Ok(None) => "direct".to_owned(),
        Ok(Some(proxy)) => proxy.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The proxy for an `https` URL with this value of the variable.
fn through(value: &str) -> String {
    route(&[("HTTPS_PROXY", value)], "https://broker.example/")
}

#[test]
fn all_spellings_of_a_proxy_are_accepted() {
    for (value, proxy) in [
        ("http://proxy.example:3128", "proxy.example:3128"),
        ("http://proxy.example:3128/", "proxy.example:3128"),
        ("http://proxy.example:3128/ignored", "proxy.example:3128"),
        ("HTTP://PROXY.example:3128", "proxy.example:3128"),
        ("http://proxy.example", "proxy.example:80"),
        ("https://proxy.example", "proxy.example:443"),
        ("proxy.example:3128", "proxy.example:3128"),
        ("proxy.example", "proxy.example:80"),
        ("localhost:3128", "localhost:3128"),
        ("10.0.0.1:3128", "10.0.0.1:3128"),
        ("http://[::1]:3128", "[::1]:3128"),
        ("http://proxy.example:3128\n", "proxy.example:3128"),
        (
            "\r\n\t http://proxy.example:3128 \r\n",
            "proxy.example:3128",
        ),
        ("\"http://proxy.example:3128\"", "proxy.example:3128"),
        ("'http://proxy.example:3128'\n", "proxy.example:3128"),
        ("\" proxy.example:3128 \"", "proxy.example:3128"),
        ("http://user:word@proxy.example:3128", "proxy.example:3128"),
        ("user:word@proxy.example:3128", "proxy.example:3128"),
        ("http://user:w@rd@proxy.example:3128", "proxy.example:3128"),
        ("http://us%40er:w%2Frd@proxy.example:1", "proxy.example:1"),
        ("http://user@proxy.example:3128", "proxy.example:3128"),
        ("socks5://proxy.example", "proxy.example:1080"),
        (
            "socks5h://user:word@proxy.example:9050",
            "proxy.example:9050",
        ),
        ("socks4://127.0.0.1:9050", "127.0.0.1:9050"),
        ("socks4a://proxy.example", "proxy.example:1080"),
    ] {
        assert_eq!(through(value), proxy, "{value:?}");
    }
}

#[test]
fn an_invalid_proxy_value_is_refused_and_not_bypassed() {
    for value in [
        "http://",
        "://",
        "http:// proxy.example",
        "http://proxy.example:port",
        "http://proxy.example:99999",
        "http://proxy.example:0",
        "http://pro\nxy.example",
        "not a proxy at all",
        "http:/proxy.example:3128",
        "http:\\\\proxy.example",
        "http://%%%",
        "socks5://",
        "http://user:hunter2@",
        "ftp://proxy.example",
        "socks://proxy.example:1080",
        "file:///etc/proxy.pac",
        "direct://",
        "http://user:hun#ter2@proxy.example:3128",
        "http://user:12/hunter2@proxy.example:3128",
        "http://user:hunter2?@proxy.example:3128",
        "http://CORP\\user:hunter2@proxy.example:3128",
    ] {
        let outcome = through(value);
        let begins = outcome.starts_with("the environment variable HTTPS_PROXY ");
        assert!(begins, "{value:?} {outcome}");
        assert!(!outcome.contains("hunter2"), "{outcome}");
    }
    assert!(through("ftp://proxy.example").contains("socks5"));
    assert!(through("http://user:hun#ter2@proxy.example").contains("percent-encode"));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;

    let proxies = Proxies::from_variables(|name| {
        (name == "HTTPS_PROXY").then(|| OsString::from_vec(b"http://pr\xFFxy".to_vec()))
    });
    let url = Url::parse("https://broker.example/").unwrap();
    let error = proxies.proxy_for(&url).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the environment variable HTTPS_PROXY is not UTF-8"
    );
}

#[test]
fn the_variable_of_the_scheme_comes_before_that_of_all() {
    let (http, https) = ("http://broker.example/", "https://broker.example/");
    let all = ("ALL_PROXY", "all.example");
    for (variables, url, proxy) in [
        (&[][..], https, "direct"),
        (&[("HTTPS_PROXY", "a.example")], https, "a.example:80"),
        (&[("https_proxy", "a.example")], https, "a.example:80"),
        (&[("HTTPS_PROXY", "a.example")], http, "direct"),
        (&[("HTTP_PROXY", "a.example")], http, "a.example:80"),
        (&[("http_proxy", "a.example")], http, "a.example:80"),
        (&[("http_proxy", "a.example")], https, "direct"),
        (&[all], https, "all.example:80"),
        (&[("all_proxy", "a.example")], http, "a.example:80"),
        (&[("HTTPS_PROXY", "a.example"), all], https, "a.example:80"),
        (&[("HTTPS_PROXY", ""), all], https, "all.example:80"),
        (&[("HTTPS_PROXY", " \n"), all], https, "all.example:80"),
        (&[("HTTPS_PROXY", "\"\"")], https, "direct"),
        (
            &[("HTTPS_PROXY", ""), ("https_proxy", "a.example")],
            https,
            "a.example:80",
        ),
        (
            &[("HTTPS_PROXY", "b.example"), ("https_proxy", "a.example")],
            https,
            "a.example:80",
        ),
        (
            &[all, ("NO_PROXY", "broker.example"), ("no_proxy", "other")],
            https,
            "all.example:80",
        ),
    ] {
        assert_eq!(route(variables, url), proxy, "{variables:?} {url}");
    }
    // An invalid value does not make another variable apply.
    let outcome = route(&[("HTTPS_PROXY", "http://"), all], https);
    assert!(outcome.contains("HTTPS_PROXY"), "{outcome}");
    // An invalid value that is not needed causes no error.
    assert_eq!(route(&[("HTTP_PROXY", "http://")], https), "direct");
}

#[cfg(not(windows))]
#[test]
fn http_proxy_is_ignored_in_a_cgi_program() {
    let cgi = ("REQUEST_METHOD", "GET");
    let set_by_request = ("HTTP_PROXY", "evil.example");
    let http = "http://broker.example/";
    assert_eq!(route(&[cgi, set_by_request], http), "direct");
    let lower = ("http_proxy", "proxy.example");
    let variables = [cgi, set_by_request, lower];
    assert_eq!(route(&variables, http), "proxy.example:80");
    let https = ("HTTPS_PROXY", "proxy.example");
    let outcome = route(&[cgi, https], "https://broker.example/");
    assert_eq!(outcome, "proxy.example:80");
}

#[test]
fn all_spellings_of_no_proxy_are_matched() {
    for (exceptions, url, is_direct) in [
        ("*", "https://broker.example/", true),
        ("*", "https://192.0.2.1/", true),
        ("*", "https://[2001:db8::1]/", true),
        ("\"*\"\n", "https://broker.example/", true),
        ("*:443", "https://broker.example/", true),
        ("*:443", "https://broker.example:8443/", false),
        ("", "https://broker.example/", false),
        (",", "https://broker.example/", false),
        ("broker.example", "https://broker.example/", true),
        ("BROKER.example", "https://Broker.example/", true),
        ("broker.example.", "https://broker.example/", true),
        ("broker.example", "https://broker.example./", true),
        ("example", "https://broker.example/", true),
        (".example", "https://broker.example/", true),
        ("*.example", "https://broker.example/", true),
        ("*.corp.example", "https://broker.corp.example/", true),
        ("*.corp.example", "https://a.broker.corp.example/", true),
        ("*.corp.example", "https://corp.example/", true),
        ("*.corp.example", "https://evilcorp.example/", false),
        ("corp.example", "https://evilcorp.example/", false),
        ("other.example", "https://broker.example/", false),
        ("broker.example:443", "https://broker.example/", true),
        ("broker.example:443", "https://broker.example:8443/", false),
        ("broker.example:80", "https://broker.example/", false),
        ("broker.example:80", "http://broker.example/", true),
        ("broker.example:*", "https://broker.example/", true),
        ("broker.example:", "https://broker.example/", true),
        ("*.example:443", "https://broker.example/", true),
        ("https://broker.example", "https://broker.example/", true),
        ("https://broker.example/", "https://broker.example/", true),
        ("b\u{fc}cher.example", "https://b\u{fc}cher.example/", true),
        ("a.example,broker.example", "https://broker.example/", true),
        ("a.example, broker.example", "https://broker.example/", true),
        ("a.example broker.example", "https://broker.example/", true),
        ("a.example;broker.example", "https://broker.example/", true),
        ("a.example|broker.example", "https://broker.example/", true),
        ("10.*|*.example", "https://broker.example/", true),
        ("a.example,*", "https://broker.example/", true),
        (" broker.example\r\n", "https://broker.example/", true),
        (
            "'a.example,broker.example'",
            "https://broker.example/",
            true,
        ),
        (
            "\"a.example\",\"broker.example\"",
            "https://broker.example/",
            true,
        ),
        ("192.0.2.1", "https://192.0.2.1/", true),
        ("192.0.2.1:443", "https://192.0.2.1/", true),
        ("192.0.2.1:80", "https://192.0.2.1/", false),
        ("192.0.2.0/24", "https://192.0.2.1/", true),
        ("192.0.2.0/24", "https://192.0.3.1/", false),
        ("192.0.2.0-192.0.2.9", "https://192.0.2.9/", true),
        ("192.0.2.0-192.0.2.9", "https://192.0.2.10/", false),
        ("192.0.2.0-192.0.2.9", "https://broker.example/", false),
        ("2001:db8::1-2001:db8::9", "https://[2001:db8::5]/", true),
        ("192.0.2", "https://192.0.0.2/", false),
        ("192.0.2.0/255.255.255.0", "https://192.0.2.0/", false),
        ("2001:db8::1", "https://[2001:db8::1]/", true),
        ("[2001:db8::1]", "https://[2001:db8::1]/", true),
        ("[2001:db8::1]:443", "https://[2001:db8::1]/", true),
        ("[2001:db8::1]:80", "https://[2001:db8::1]/", false),
        ("2001:DB8:0::1", "https://[2001:db8::1]/", true),
        ("2001:db8::/32", "https://[2001:db8::1]/", true),
        ("2001:db8::/32", "https://[2001:db9::1]/", false),
        ("[2001:db8::]/32", "https://[2001:db8::1]/", true),
        ("[broker.example", "https://broker.example/", false),
        ("broker.example:port", "https://broker.example/", false),
        (".", "https://broker.example/", false),
    ] {
        for name in ["NO_PROXY", "no_proxy"] {
            let variables = [("ALL_PROXY", "proxy.example"), (name, exceptions)];
            let expected = if is_direct {
                "direct"
            } else {
                "proxy.example:80"
            };
            assert_eq!(route(&variables, url), expected, "{exceptions:?} {url}");
        }
    }
}

#[test]
fn no_proxy_applies_despite_an_invalid_proxy() {
    let variables = [("HTTPS_PROXY", "http://"), ("NO_PROXY", "broker.example")];
    assert_eq!(route(&variables, "https://broker.example/"), "direct");
}

#[test]
fn entries_of_no_proxy_that_match_no_host_are_told() {
    let misunderstood = |name, value: &str| {
        let proxies = Proxies::from_variables(|other| (other == name).then(|| value.into()));
        let told = proxies.misunderstood();
        told.map(|(name, numbers)| (name, numbers.to_vec()))
    };
    for entry in [
        "10.*",
        "192.168.",
        "192.168",
        "broker.*",
        "10.0.0.0/33",
        "2001:db8::/129",
        "10.0.0.0/255.0.0.0",
        "10.0.0.9-10.0.0.1",
        "fe80::1%eth0",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "broker.example:port",
        "<local>",
        "user:word@proxy.example:3128",
        ".",
    ] {
        let value = format!("a.example, {entry},b.example");
        let told = misunderstood("NO_PROXY", &value);
        assert_eq!(told, Some(("NO_PROXY", vec![2])), "{entry}");
    }
    let told = misunderstood("no_proxy", ". <local>");
    assert_eq!(told, Some(("no_proxy", vec![1, 2])));
    for value in ["", " ,; |", "*", "localhost,.example,10.0.0.0/8,[::1]:443"] {
        assert_eq!(misunderstood("NO_PROXY", value), None, "{value}");
    }
}
