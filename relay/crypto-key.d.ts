/** Node's types lack this global's type, which the declarations of http-message-sig name. */
type CryptoKey = import('node:crypto').webcrypto.CryptoKey
