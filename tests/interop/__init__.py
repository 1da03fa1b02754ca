"""The package and its fake, held against a live ASMX runtime: Mono's System.Web.Services."""
