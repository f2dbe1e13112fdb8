// The guarantees of the types; compiled, never run.
import Default, {
  AbstractStore,
  BrokerError,
  BrowserMismatch,
  MemoryStore,
  PortierClient,
  PortierError,
  RedisClientStore,
  RedisStore,
  SessionUsed,
  SqliteStore,
  TokenExpired,
  normalize,
  safeNext,
  type AuthenticateOptions,
  type ErrorCode,
  type Key,
  type Login,
  type PortierClientOptions,
  type Stats,
  type Store,
} from "portier-client";
import { MockTransport, DevBroker, ManualClock, mockClient, checkStore } from "portier-client/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

export async function checks(form: FormData, body: unknown): Promise<void> {
  const options: PortierClientOptions = { redirectUri: "https://example.com/verify" };
  const client = new Default({ ...options, store: new MemoryStore({ capacity: 10 }), leeway: 1000 });
  is<Equal<typeof client, PortierClient>>();
  new Default({ ...options, store: "redis://localhost" });
  new Default({ ...options, store: new RedisStore("redis://localhost") });
  new Default({ ...options, store: new SqliteStore("sqlite:///var/lib/site/logins.db") });

  const start: AuthenticateOptions = { state: "a", signal: AbortSignal.timeout(1) };
  is<Equal<Awaited<ReturnType<typeof client.authenticate>>, string>>();
  await client.authenticate("alice@example.com", "state");
  await client.authenticate(null, start);
  is<Equal<Awaited<ReturnType<typeof client.verify>>, string>>();
  const login: Login = await client.complete(form, { browser: "secret", confirmation: null });
  await client.complete(new URLSearchParams(""));
  await client.complete(body as object);
  is<Equal<typeof login.session, string | null>>();
  is<Equal<typeof login.issuedAt, Date>>();
  const keys: Key[] = await client.keys();
  is<Equal<(typeof keys)[number]["algorithm"], "RS256" | "EdDSA">>();
  const stats: Stats = client.stats();
  is<Equal<typeof stats.keys.ageMs, number | null>>();
  client.leeway = 1000;
  client.destroy();

  const error: unknown = new TokenExpired("late", { code: "token_expired" });
  if (error instanceof PortierError) is<Equal<typeof error.code, ErrorCode>>();
  if (error instanceof BrokerError) is<Equal<typeof error.error, string | null>>();
  if (error instanceof SessionUsed) is<Equal<typeof error.sameBrowser, boolean>>();
  if (error instanceof BrowserMismatch) {
    const { email, confirmation } = error;
    is<Equal<typeof email, string>>();
    is<Equal<typeof confirmation, string | null>>();
  }
  is<Equal<ReturnType<typeof normalize>, string>>();
  is<Equal<ReturnType<typeof safeNext>, string | null>>();

  const broker = new DevBroker({ mode: "accept" });
  broker.mint({ url: "", claims: { exp: 1 }, key: "stranger" });
  const clock = new ManualClock(new Date());
  const mocked = mockClient({ ...options, clock, transport: new MockTransport() });
  is<Equal<typeof mocked, PortierClient>>();

  const own: Store = { put: async () => {}, take: () => null };
  new Default({ ...options, store: own });
  new Default({ ...options, store: new RedisClientStore({}, { prefix: "shop:" }) });
  class Mine extends AbstractStore {
    fetchCached = async () => ({});
    createNonce = async (email: string) => this.generateNonce(email);
    consumeNonce = async () => {};
  }
  new Default({ ...options, store: new Mine() }).destroy();
  await checkStore(() => own, { gone: async () => new RedisStore("redis://localhost") });
  // @ts-expect-error a store must have put
  new Default({ ...options, store: { take: () => null } });
  // @ts-expect-error a record is text
  new Default({ ...options, store: { put: () => {}, take: () => 1 } });

  // @ts-expect-error a redirect URI is required
  new PortierClient({});
  // @ts-expect-error there is no such option
  new PortierClient({ ...options, borker: "https://broker.example" });
  // @ts-expect-error an address is text, or null
  void client.authenticate(undefined);
  // @ts-expect-error a token is text
  void client.verify(1);
  // @ts-expect-error a login cannot be changed
  login.email = "";
  // @ts-expect-error there is no such code
  new PortierError("", { code: "made_up" });
}
