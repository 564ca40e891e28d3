// A CommonJS program of a user's: require() of an ES module, as Node 22.12 and later have it.
const { createSnapchat } = require("snapchat-destination");
const { hash } = require("snapchat-destination/identity");
const { memory } = require("snapchat-destination/memory");

if (hash("em", "jane@example.com") === undefined) throw new Error("identity does not hash");
const snapchat = createSnapchat({
  app: { clientId: "id", clientSecret: "secret", redirectUri: "https://cdp.example/callback" },
  storage: memory(),
  acceptLoss: true,
  encryptionKeys: [require("node:crypto").randomBytes(32).toString("base64")],
});
snapchat
  .tenant("acme")
  .destinations.create({ name: "required" })
  .then(async () => {
    await snapchat.close();
    console.log("require(): a destination was created");
  });
