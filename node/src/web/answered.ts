/**
 * Runs a function that may answer a request, and notes whether it has.
 *
 * Whether an answer was sent can not be read off it: with hooks that run before it leaves, such as
 * those that store a session, that shows only later. So the `methods` that begin an answer say it.
 */
export async function ask(
  response: object,
  methods: readonly string[],
  hook: () => unknown,
): Promise<{ answered: boolean; result: unknown }> {
  let answered = false;
  for (const name of methods) {
    const method = Reflect.get(response, name) as ((...parameters: unknown[]) => unknown) | undefined;
    if (method === undefined) continue;
    Reflect.set(response, name, function (this: unknown, ...parameters: unknown[]): unknown {
      answered = true;
      return method.apply(this, parameters);
    });
  }
  const result = await hook();
  return { answered, result };
}
