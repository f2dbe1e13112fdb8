/** Loads the addon for this platform, or says what is missing. */
export function loadAddon(): unknown {
  const failures: unknown[] = [];
  const targets = targetsHere();
  for (const target of targets) {
    for (const name of [`./portier-client.${target}.node`, `portier-client-${target}`]) {
      try {
        return require(name);
      } catch (failure) {
        if (!isMissing(failure, name)) failures.push(failure);
      }
    }
  }
  throw new Error(explanation(targets, failures), {
    cause: failures.length > 1 ? new AggregateError(failures) : failures[0],
  });
}

/** The names of builds that could run here, the likeliest first. */
function targetsHere(): string[] {
  const { arch, platform } = process;
  switch (platform) {
    case "linux":
      // Which C library there is shows when the addon is loaded; asking takes longer.
      return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
    case "win32":
      return [`win32-${arch}-msvc`];
    default:
      return [`${platform}-${arch}`];
  }
}

function isMissing(failure: unknown, name: string): boolean {
  return (
    failure instanceof Error &&
    Reflect.get(failure, "code") === "MODULE_NOT_FOUND" &&
    failure.message.includes(name)
  );
}

function explanation(targets: string[], failures: unknown[]): string {
  const platform = targets.join(" or ");
  if (failures.some((failure) => Reflect.get(Object(failure), "code") === "ERR_DLOPEN_DISABLED")) {
    return "portier-client is a native addon: run node with --allow-addons beside --permission";
  }
  if (failures.length > 0) {
    return `portier-client cannot load its native addon platform=${platform}`;
  }
  const packages = targets.map((target) => `portier-client-${target}`).join(" or ");
  return (
    `portier-client has no native addon here: install ${packages}, or build it from source ` +
    `platform=${platform}`
  );
}
