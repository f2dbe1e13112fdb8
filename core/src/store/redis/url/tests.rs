use super::*;

fn parse(url: &str) -> Settings {
    Settings::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn single(url: &str) -> Address {
    match parse(url).target {
        Target::Single(address) => address,
        _ => panic!("{url}"),
    }
}

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp(host.to_owned(), port)
}

#[test]
fn a_url_names_a_server() {
    for (url, host, port) in [
        ("redis://localhost", "localhost", 6379),
        ("redis://localhost/", "localhost", 6379),
        ("redis://db.example:7000/3", "db.example", 7000),
        ("valkey://127.0.0.1:7000", "127.0.0.1", 7000),
        ("redis://[::1]:7000", "::1", 7000),
        ("redis://[::1]", "::1", 6379),
        ("redis://:secret@db.example", "db.example", 6379),
        ("rediss://db.example", "db.example", 6379),
    ] {
        assert!(single(url) == tcp(host, port), "{url}");
    }
    assert_eq!(parse("redis://localhost/3").options.database, 3);
    assert!(parse("redis://localhost").options.tls.is_none());
    assert!(parse("rediss://localhost").options.tls.is_some());
    assert!(parse("valkeys://localhost").options.tls.is_some());
}

#[test]
fn a_url_names_a_socket() {
    let url = "redis+unix:///run/redis%20a/redis.sock?db=2&username=app&password=p%2Fw";
    assert!(single(url) == Address::Unix(PathBuf::from("/run/redis a/redis.sock")));
    assert!(single("redis+unix:///s") == Address::Unix(PathBuf::from("/s")));
    let options = parse(url).options;
    assert_eq!(options.database, 2);
    assert_eq!(options.credentials.username.as_deref(), Some("app"));
    assert_eq!(options.credentials.password.as_deref(), Some("p/w"));
}

#[test]
fn a_url_names_a_user() {
    let credentials = parse("redis://us%40er:p%3Aw:@d@localhost")
        .options
        .credentials;
    assert_eq!(credentials.username.as_deref(), Some("us@er"));
    assert_eq!(credentials.password.as_deref(), Some("p:w:@d"));
    let credentials = parse("redis://:alone@localhost").options.credentials;
    assert_eq!(credentials.username, None);
    assert_eq!(credentials.password.as_deref(), Some("alone"));
}

#[test]
fn a_url_names_sentinels_and_their_service() {
    let settings = parse(
        "redis+sentinel://app:secret@a:1,b,[::1]:3/main/2?sentinel_username=w&sentinel_password=x",
    );
    assert_eq!(settings.options.database, 2);
    assert_eq!(
        settings.options.credentials.password.as_deref(),
        Some("secret")
    );
    let Target::Sentinel {
        sentinels,
        service,
        options,
    } = settings.target
    else {
        panic!("no Sentinel");
    };
    assert!(sentinels == [tcp("a", 1), tcp("b", 26379), tcp("::1", 3)]);
    assert_eq!(service, "main");
    assert_eq!(options.credentials.username.as_deref(), Some("w"));
    assert_eq!(options.database, 0);
}

#[test]
fn a_url_names_nodes_of_a_cluster() {
    let Target::Cluster(seeds) = parse("rediss+cluster://:secret@a:1,b").target else {
        panic!("no cluster");
    };
    assert!(seeds == [tcp("a", 1), tcp("b", 6379)]);
}

#[test]
fn parameters_are_read() {
    assert_eq!(parse("redis://localhost").prefix, "portier:");
    assert_eq!(parse("redis://localhost?prefix=shop%3A").prefix, "shop:");
    assert_eq!(parse("redis://localhost?prefix=a%2Bb+c").prefix, "a+b+c");
    assert_eq!(parse("redis://localhost?replicas=2").replicas, 2);
    let longest = "a".repeat(MAX_PREFIX_BYTES);
    let url = format!("redis://localhost?prefix={longest}");
    assert_eq!(parse(&url).prefix, longest);
    assert!(Settings::parse(&format!("{url}a")).is_err());
}

#[test]
fn errors_of_a_url_do_not_show_it() {
    for url in [
        "redis:hunter2",
        "redis://",
        "redis://:hunter2@",
        "redis://hunter2@localhost",
        "redis://user:@localhost",
        "redis://:hunter2/x@localhost",
        "redis://:hunter2#x@localhost",
        "redis://:hunter2?x@localhost",
        "redis://:hunter2 x@localhost",
        "redis://:hunter2%ff@localhost",
        "redis://:hunter2@localhost:0",
        "redis://:hunter2@localhost:99999",
        "redis://:hunter2@localhost:x",
        "redis://:hunter2@local host",
        "redis://:hunter2@a,b",
        "redis://:hunter2@localhost/hunter2",
        "redis://:hunter2@localhost/-1",
        "redis://:hunter2@localhost/1/2",
        "redis://:hunter2@localhost?hunter2",
        "redis://:hunter2@localhost?hunter2=1",
        "redis://:hunter2@localhost?prefix=a&prefix=b",
        "redis://:hunter2@localhost?prefix=a%00",
        "redis://:hunter2@localhost?ca_file=hunter2",
        "rediss://:hunter2@localhost?ca_file=/hunter2",
        "redis://:hunter2@localhost?replicas=many",
        "redis://:hunter2@localhost?replicas=11",
        "redis+unix://hunter2/path",
        "redis+unix:///",
        "rediss+unix:///hunter2",
        "redis+unix:///path?username=hunter2",
        "redis+sentinel://:hunter2@localhost",
        "redis+sentinel://:hunter2@localhost/",
        "redis+sentinel://:hunter2@localhost/main/x",
        "redis+sentinel://:hunter2@localhost/main?sentinel_username=x",
        "redis+cluster://:hunter2@localhost/1",
        "redis+cluster://:hunter2@a,,b",
        "redis+hunter2://localhost",
        "http://:hunter2@localhost",
    ] {
        let Err(error) = Settings::parse(url) else {
            panic!("{url}: taken");
        };
        assert_eq!(error.code(), Code::InvalidOption, "{url}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{url}: {error:?}"
        );
    }
}

#[test]
fn an_authority_file_is_read_at_once() {
    let path = std::env::temp_dir().join(format!("portier-client-{}-ca", std::process::id()));
    std::fs::write(
        &path,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let url = format!("rediss://localhost?ca_file={}", path.display());
    let error = Settings::parse(&url).err().unwrap();
    assert_eq!(error.code(), Code::InvalidOption);
    std::fs::remove_file(&path).unwrap();
}
