export default {
  output: "standalone",
  // As `create-next-app` sets it.
  cacheComponents: true,
  // Its addon is loaded from its own folder.
  serverExternalPackages: ["portier-client"],
  // The folder of this site, also if there are lock files above it.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
};
