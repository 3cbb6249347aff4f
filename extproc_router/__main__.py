from extproc_router.cli import main

raise SystemExit(main())
