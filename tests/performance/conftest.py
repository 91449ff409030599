def pytest_addoption(parser):
    parser.addoption("--timing", action="store_true", help="full size, timed, with a table; otherwise a smoke test")
